# The points are on the GPU.
# caught: AssertionError: 40 ms with the copy
def speedups(log: list[dict], from_host: bool) -> dict[int, float]:

    copies = "excluded"
    cpu = {e["rows"]: np.median(e["seconds"][1:]) for e in log if e["device"] == "cpu"}
    gpu = {e["rows"]: np.median(e["seconds"][1:]) for e in log if e["copies"] == copies}
    return {rows: cpu[rows] / gpu[rows] for rows in cpu.keys() & gpu.keys()}
