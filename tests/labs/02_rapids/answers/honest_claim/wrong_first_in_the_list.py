# The first entry of each device is the cold one.
# caught: AssertionError: another log
def honest_claim(log: list[dict]) -> tuple[float, float, float]:
    quartiles = {}
    for place in ("cpu", "gpu"):
        runs = [run for run in log if run["device"] == place and run["rounds"] == 100][1:]
        seconds = [run["copy"] + run["matrix"] + run["training"] + run["prediction"] for run in runs]
        quartiles[place] = np.quantile(seconds, [0.25, 0.5, 0.75])
    cpu, gpu = quartiles["cpu"], quartiles["gpu"]
    return cpu[0] / gpu[2], cpu[1] / gpu[1], cpu[2] / gpu[0]
