# The first size at which it gets ahead.
# caught: AssertionError: several crossings
def crossover_size(sizes: list[int], cpu_seconds: list[float], gpu_seconds: list[float]) -> float | None:

    speedup = np.log(np.divide(cpu_seconds, gpu_seconds))
    if speedup[0] > 0 and speedup[-1] > 0:
        return float(sizes[0])
    for place in range(1, len(sizes)):
        if speedup[place - 1] <= 0 < speedup[place] and speedup[-1] > 0:
            return float(np.exp(np.interp(0, speedup[place - 1 : place + 1], np.log(sizes[place - 1 : place + 1]))))
    return None
