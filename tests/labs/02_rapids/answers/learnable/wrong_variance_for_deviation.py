# The square root is forgotten.
# caught: AssertionError: 60 random rows whose AUC is 0.56 by luck
def learnable(truth: np.ndarray, scores: np.ndarray) -> bool:
    clicks, others = (truth == 1).sum(), (truth == 0).sum()
    variance = (clicks + others + 1) / (12 * clicks * others)
    return agreement.auc(truth, scores) > 0.5 + 2.326 * variance
