# The standard library's quartiles, the inclusive ones, are the same.
from statistics import quantiles


def honest_claim(log: list[dict]) -> list[float]:
    times = {"cpu": [], "gpu": []}
    for run in log:
        if run["first"] or run["rounds"] != 100:
            continue
        times[run["device"]].append(sum(run[step] for step in ("copy", "matrix", "training", "prediction")))
    cpu, gpu = (quantiles(times[place], n=4, method="inclusive") for place in ("cpu", "gpu"))
    return [cpu[0] / gpu[2], cpu[1] / gpu[1], cpu[2] / gpu[0]]
