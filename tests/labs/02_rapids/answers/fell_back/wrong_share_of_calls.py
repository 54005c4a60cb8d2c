# How many of the calls ran on the CPU.
# caught: AssertionError: 1.5 s of 2 s ran on the CPU
def fell_back(steps):
    cpu = steps[steps["cpu_calls"] > 0].sort_values("cpu_seconds", ascending=False)
    total = steps["gpu_calls"].sum() + steps["cpu_calls"].sum()
    return list(cpu["function"]), steps["cpu_calls"].sum() / total if total else 0.0
