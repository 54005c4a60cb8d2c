# The first size at which it is ahead for good.
# caught: AssertionError: np.isclose(example, 16_000)
def crossover_size(sizes: list[int], cpu_seconds: list[float], gpu_seconds: list[float]) -> float | None:

    speedup = np.divide(cpu_seconds, gpu_seconds)
    behind = np.flatnonzero(speedup <= 1)
    if len(behind) == 0:
        return float(sizes[0])
    last = behind[-1]
    if last == len(sizes) - 1:
        return None
    (_, x1), _ = sizes[last : last + 2], speedup[last : last + 2]
    return float(x1)
