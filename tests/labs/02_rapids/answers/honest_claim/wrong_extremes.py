# From the worst case to the best.
# caught: AssertionError: low
def honest_claim(log: list[dict]) -> tuple[float, float, float]:
    times = {"cpu": [], "gpu": []}
    for run in log:
        if run["rounds"] == 100 and not run["first"]:
            times[run["device"]].append(run["copy"] + run["matrix"] + run["training"] + run["prediction"])
    cpu, gpu = times["cpu"], times["gpu"]
    return min(cpu) / max(gpu), np.median(cpu) / np.median(gpu), max(cpu) / min(gpu)
