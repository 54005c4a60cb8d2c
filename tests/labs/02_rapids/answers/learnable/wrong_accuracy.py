# More than the larger class is right.
# caught: AssertionError: luck
def learnable(truth: np.ndarray, scores: np.ndarray) -> bool:
    rate = truth.mean()
    return bool(np.mean((scores > 0.5) == truth) > max(rate, 1 - rate))
