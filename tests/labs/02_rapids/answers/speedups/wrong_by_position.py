# The CPU's entry comes first, then the GPU's two.
# caught: AssertionError: the GPU loses; the median of an even number of calls
def speedups(log: list[dict], from_host: bool) -> dict[int, float]:

    found = {}
    for place in range(0, len(log) - 2, 3):
        cpu, gpu = log[place], log[place + 1 + from_host]
        found[cpu["rows"]] = np.median(cpu["seconds"][1:]) / np.median(gpu["seconds"][1:])
    return found
