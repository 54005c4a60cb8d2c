# The share of the rows that are right.
# caught: AssertionError: all scores are equal
def quality(truth: np.ndarray, scores: np.ndarray) -> float:
    return float(np.mean((scores > 0.5) == truth))
