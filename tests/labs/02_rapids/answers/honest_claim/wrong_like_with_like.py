# First quartile over first quartile, third over third.
# caught: AssertionError: low: 6.1 s
def honest_claim(log: list[dict]) -> tuple[float, float, float]:
    times = {"cpu": [], "gpu": []}
    for run in log:
        if run["rounds"] == 100 and not run["first"]:
            times[run["device"]].append(run["copy"] + run["matrix"] + run["training"] + run["prediction"])
    cpu, gpu = (np.quantile(times[place], [0.25, 0.5, 0.75]) for place in ("cpu", "gpu"))
    low, high = sorted([cpu[0] / gpu[0], cpu[2] / gpu[2]])
    return min(low, cpu[1] / gpu[1]), cpu[1] / gpu[1], max(high, cpu[1] / gpu[1])
