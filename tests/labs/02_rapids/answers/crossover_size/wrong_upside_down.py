# The GPU's seconds over the CPU's.
# caught: AssertionError: from half as fast at 4,000 rows
def crossover_size(sizes: list[int], cpu_seconds: list[float], gpu_seconds: list[float]) -> float | None:

    speedup = np.divide(gpu_seconds, cpu_seconds)
    behind = np.flatnonzero(speedup <= 1)
    if len(behind) == 0:
        return float(sizes[0])
    last = behind[-1]
    if last == len(sizes) - 1:
        return None
    (x0, x1), (y0, y1) = sizes[last : last + 2], speedup[last : last + 2]
    return float(np.exp(np.interp(0, np.log([y0, y1]), np.log([x0, x1]))))
