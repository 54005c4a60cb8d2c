# depth divides the loading.
# caught: AssertionError
def epoch_seconds(load: list[float], step: list[float], depth: int) -> float:
    return sum(load) / depth + sum(step)
