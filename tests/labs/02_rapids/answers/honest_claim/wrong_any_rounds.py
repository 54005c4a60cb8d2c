# Every run that is warm, however many rounds it trained.
# caught: AssertionError: the median run
def honest_claim(log: list[dict]) -> tuple[float, float, float]:
    times = {"cpu": [], "gpu": []}
    for run in log:
        if not run["first"]:
            times[run["device"]].append(run["copy"] + run["matrix"] + run["training"] + run["prediction"])
    cpu, gpu = (np.quantile(times[place], [0.25, 0.5, 0.75]) for place in ("cpu", "gpu"))
    return cpu[0] / gpu[2], cpu[1] / gpu[1], cpu[2] / gpu[0]
