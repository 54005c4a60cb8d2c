# The time on the CPU over the time on the GPU.
# caught: AssertionError: 1.5 s of 2 s ran on the CPU
def fell_back(steps):
    cpu = steps[steps["cpu_calls"] > 0].sort_values("cpu_seconds", ascending=False)
    gpu_seconds = steps["gpu_seconds"].sum()
    return list(cpu["function"]), steps["cpu_seconds"].sum() / gpu_seconds if gpu_seconds else 0.0
