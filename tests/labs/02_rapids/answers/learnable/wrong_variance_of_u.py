# The variance of U taken for that of the AUC.
# caught: AssertionError: a clear signal
def learnable(truth: np.ndarray, scores: np.ndarray) -> bool:
    clicks, others = (truth == 1).sum(), (truth == 0).sum()
    deviation = (clicks * others * (clicks + others + 1) / 12) ** 0.5
    return agreement.auc(truth, scores) > 0.5 + 2.326 * deviation
