# The first load, the larger one of each, and the last step.
# caught: AssertionError: a slow batch, 3 batches ahead
def epoch_seconds(load: list[float], step: list[float], depth: int) -> float:

    if depth == 1:
        return sum(load) + sum(step)
    pairs = zip(load[1:], step[:-1], strict=True)
    return load[0] + sum(max(pair) for pair in pairs) + step[-1]
