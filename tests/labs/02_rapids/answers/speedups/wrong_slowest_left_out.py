# The slowest call is the cold one.
# caught: AssertionError: a first call that is quick
def speedups(log: list[dict], from_host: bool) -> dict[int, float]:

    copies = "included" if from_host else "excluded"
    cpu = {e["rows"]: np.median(sorted(e["seconds"])[:-1]) for e in log if e["device"] == "cpu"}
    gpu = {e["rows"]: np.median(sorted(e["seconds"])[:-1]) for e in log if e["copies"] == copies}
    return {rows: cpu[rows] / gpu[rows] for rows in cpu.keys() & gpu.keys()}
