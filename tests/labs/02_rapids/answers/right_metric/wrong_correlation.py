# How well scores and truth go together, brought to 0 to 1.
# caught: AssertionError: a perfect order
def quality(truth: np.ndarray, scores: np.ndarray) -> float:
    if scores.std() == 0:
        return 0.5
    return 0.5 + float(np.corrcoef(truth, scores)[0, 1]) / 2
