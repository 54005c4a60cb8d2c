# depth divides the loading.
# caught: AssertionError: assert np.isclose(epoch_seconds([2, 2, 2], [3, 3, 3], depth=2), 11)  #
def epoch_seconds(load: list[float], step: list[float], depth: int) -> float:
    return sum(load) / depth + sum(step)
