# U itself against its mean and variance.
def learnable(truth: np.ndarray, scores: np.ndarray) -> bool:
    clicks = (truth == 1).sum()
    others = (truth == 0).sum()
    u = agreement.auc(truth, scores) * clicks * others
    z = (u - clicks * others / 2) / (clicks * others * (clicks + others + 1) / 12) ** 0.5
    return z > 2.326
