# The library has it.
# caught: AssertionError: switched off
from w251lab.timing import crossover


def crossover_size(sizes: list[int], cpu_seconds: list[float], gpu_seconds: list[float]) -> float | None:
    return crossover(sizes, np.divide(cpu_seconds, gpu_seconds))
