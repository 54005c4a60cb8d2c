# The middle one of the sorted calls.
# caught: AssertionError: the median of an even number of calls
def speedups(log: list[dict], from_host: bool) -> dict[int, float]:

    copies = "included" if from_host else "excluded"
    cpu = {e["rows"]: sorted(e["seconds"][1:])[(len(e["seconds"]) - 1) // 2] for e in log if e["device"] == "cpu"}
    gpu = {e["rows"]: sorted(e["seconds"][1:])[(len(e["seconds"]) - 1) // 2] for e in log if e["copies"] == copies}
    return {rows: cpu[rows] / gpu[rows] for rows in cpu.keys() & gpu.keys()}
