# One straight line through all points.
# caught: AssertionError: ahead at all sizes: the smallest
def crossover_size(sizes: list[int], cpu_seconds: list[float], gpu_seconds: list[float]) -> float | None:

    speedup = np.log(np.divide(cpu_seconds, gpu_seconds))
    if speedup[-1] <= 0:
        return None
    slope, intercept = np.polyfit(np.log(sizes), speedup, 1)
    return float(np.exp(-intercept / slope))
