# Balanced accuracy: the mean of the shares of clicks and of others that are right.
# caught: AssertionError: the model knows more than a coin
def quality(truth: np.ndarray, scores: np.ndarray) -> float:
    decided = scores > 0.5
    return (np.mean(decided[truth == 1]) + np.mean(~decided[truth == 0])) / 2
