# Means.
# caught: AssertionError: low <= middle <= high
def honest_claim(log: list[dict]) -> tuple[float, float, float]:
    times = {"cpu": [], "gpu": []}
    for run in log:
        if run["rounds"] == 100 and not run["first"]:
            times[run["device"]].append(run["copy"] + run["matrix"] + run["training"] + run["prediction"])
    cpu, gpu = (np.quantile(times[place], [0.25, 0.75]) for place in ("cpu", "gpu"))
    return cpu[0] / gpu[1], np.mean(times["cpu"]) / np.mean(times["gpu"]), cpu[1] / gpu[0]
