# np.interp over all sizes.
# caught: AssertionError: several crossings
def crossover_size(sizes: list[int], cpu_seconds: list[float], gpu_seconds: list[float]) -> float | None:

    speedup = np.log(np.divide(cpu_seconds, gpu_seconds))
    if speedup[-1] <= 0:
        return None
    return float(np.exp(np.interp(0, speedup, np.log(sizes))))
