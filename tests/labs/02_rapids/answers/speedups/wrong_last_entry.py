# One entry for each device and size.
# caught: AssertionError: 2 ms on the CPU, 4 ms on the GPU: half as fast
def speedups(log: list[dict], from_host: bool) -> dict[int, float]:

    medians = {}
    for entry in log:
        medians[entry["device"], entry["rows"]] = np.median(entry["seconds"][1:])
    sizes = {rows for _, rows in medians}
    return {rows: medians["cpu", rows] / medians["gpu", rows] for rows in sizes}
