# The time on the CPU over all of it.
# caught: AssertionError: no time at all
def fell_back(steps):
    cpu = steps[steps["cpu_calls"] > 0].sort_values("cpu_seconds", ascending=False)
    return list(cpu["function"]), steps["cpu_seconds"].sum() / (steps["gpu_seconds"] + steps["cpu_seconds"]).sum()
