# As they come in the table.
# caught: AssertionError: everything fell back
def fell_back(steps):
    total = steps["gpu_seconds"].sum() + steps["cpu_seconds"].sum()
    share = steps["cpu_seconds"].sum() / total if total else 0.0
    return list(steps[steps["cpu_calls"] > 0]["function"]), share
