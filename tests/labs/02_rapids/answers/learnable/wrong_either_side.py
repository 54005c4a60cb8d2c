# Far from one half, on whichever side.
# caught: AssertionError: a strong signal the wrong way round
def learnable(truth: np.ndarray, scores: np.ndarray) -> bool:
    clicks, others = (truth == 1).sum(), (truth == 0).sum()
    deviation = ((clicks + others + 1) / (12 * clicks * others)) ** 0.5
    return abs(agreement.auc(truth, scores) - 0.5) > 2.326 * deviation
