# It crosses between the last two sizes.
# caught: AssertionError: a power law, any grid
def crossover_size(sizes: list[int], cpu_seconds: list[float], gpu_seconds: list[float]) -> float | None:

    speedup = np.log(np.divide(cpu_seconds, gpu_seconds))
    if speedup[-1] <= 0:
        return None
    if len(sizes) == 1 or min(speedup) > 0:
        return float(sizes[0])
    return float(np.exp(np.interp(0, speedup[-2:], np.log(sizes[-2:]))))
