# The GPU over the CPU.
# caught: AssertionError: 2 ms on the CPU, 4 ms on the GPU: half as fast
def speedups(log: list[dict], from_host: bool) -> dict[int, float]:

    copies = "included" if from_host else "excluded"
    cpu = {e["rows"]: np.median(e["seconds"][1:]) for e in log if e["device"] == "cpu"}
    gpu = {e["rows"]: np.median(e["seconds"][1:]) for e in log if e["copies"] == copies}
    return {rows: gpu[rows] / cpu[rows] for rows in cpu.keys() & gpu.keys()}
