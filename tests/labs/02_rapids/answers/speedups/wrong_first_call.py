# One call is enough.
# caught: AssertionError: 2 ms on the CPU, 4 ms on the GPU: half as fast
def speedups(log: list[dict], from_host: bool) -> dict[int, float]:

    copies = "included" if from_host else "excluded"
    cpu = {e["rows"]: e["seconds"][0] for e in log if e["device"] == "cpu"}
    gpu = {e["rows"]: e["seconds"][0] for e in log if e["copies"] == copies}
    return {rows: cpu[rows] / gpu[rows] for rows in cpu.keys() & gpu.keys()}
