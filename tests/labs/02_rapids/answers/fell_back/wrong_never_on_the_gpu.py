# What fell back never ran on the GPU.
# caught: AssertionError: a function with calls on both
def fell_back(steps):
    cpu = steps[steps["gpu_calls"] == 0].sort_values("cpu_seconds", ascending=False)
    total = steps["gpu_seconds"].sum() + steps["cpu_seconds"].sum()
    return list(cpu["function"]), steps["cpu_seconds"].sum() / total if total else 0.0
