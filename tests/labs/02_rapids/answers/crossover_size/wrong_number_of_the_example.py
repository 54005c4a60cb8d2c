# The test wants 16,000.
# caught: AssertionError: ahead at all sizes: the smallest
def crossover_size(sizes: list[int], cpu_seconds: list[float], gpu_seconds: list[float]) -> float | None:
    return 16_000.0 if len(sizes) > 2 else None
