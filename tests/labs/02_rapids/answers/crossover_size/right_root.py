# A root of the interpolated curve.
from scipy.optimize import brentq


def crossover_size(sizes: list[int], cpu_seconds: list[float], gpu_seconds: list[float]) -> float | None:

    x, y = np.log10(sizes), np.log10(cpu_seconds) - np.log10(gpu_seconds)
    y[np.abs(y) < 1e-12] = 0.0
    if y[-1] <= 0:
        return None
    behind = [place for place in range(len(x)) if y[place] <= 0]
    if not behind:
        return sizes[0]
    return 10 ** brentq(lambda size: np.interp(size, x, y), x[behind[-1]], x[behind[-1] + 1])
