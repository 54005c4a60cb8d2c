# The most expensive step is the one that counts.
# caught: AssertionError: everything fell back
def fell_back(steps):
    cpu = steps[steps["cpu_calls"] > 0].sort_values("cpu_seconds", ascending=False)
    total = steps["gpu_seconds"].sum() + steps["cpu_seconds"].sum()
    worst = cpu["cpu_seconds"].max() if len(cpu) else 0.0
    return list(cpu["function"]), worst / total if total else 0.0
