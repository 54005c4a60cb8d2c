# The best call is the true one.
# caught: AssertionError: 600 ms on the CPU, 20 ms on the GPU
def speedups(log: list[dict], from_host: bool) -> dict[int, float]:

    copies = "included" if from_host else "excluded"
    cpu = {e["rows"]: min(e["seconds"][1:]) for e in log if e["device"] == "cpu"}
    gpu = {e["rows"]: min(e["seconds"][1:]) for e in log if e["copies"] == copies}
    return {rows: cpu[rows] / gpu[rows] for rows in cpu.keys() & gpu.keys()}
