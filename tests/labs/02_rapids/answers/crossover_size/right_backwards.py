# From the largest size down, as long as it is ahead.
import math


def crossover_size(sizes: list[int], cpu_seconds: list[float], gpu_seconds: list[float]) -> float | None:

    found = None
    points = list(zip(sizes, cpu_seconds, gpu_seconds, strict=True))[::-1]
    for place, (size, slow, fast) in enumerate(points):
        if slow > fast:
            found = float(size)
            continue
        if place == 0:
            return None
        larger, its_slow, its_fast = points[place - 1]
        low, high = math.log(slow / fast), math.log(its_slow / its_fast)
        return size * (larger / size) ** (-low / (high - low))
    return found
