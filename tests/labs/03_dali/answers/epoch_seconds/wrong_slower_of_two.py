# The slower of the two decides.
# caught: AssertionError: # only the first batch is waited for
def epoch_seconds(load: list[float], step: list[float], depth: int) -> float:
    return max(sum(load), sum(step)) if depth > 1 else sum(load) + sum(step)
