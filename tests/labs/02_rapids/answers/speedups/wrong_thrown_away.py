# Throw the first call away.
# caught: AssertionError: with the copies included
def speedups(log: list[dict], from_host: bool) -> dict[int, float]:

    for entry in log:
        entry["seconds"].pop(0)
    copies = "included" if from_host else "excluded"
    cpu = {e["rows"]: np.median(e["seconds"]) for e in log if e["device"] == "cpu"}
    gpu = {e["rows"]: np.median(e["seconds"]) for e in log if e["copies"] == copies}
    return {rows: cpu[rows] / gpu[rows] for rows in cpu.keys() & gpu.keys()}
