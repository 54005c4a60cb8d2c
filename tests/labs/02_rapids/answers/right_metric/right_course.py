# The course's own function.
def quality(truth: np.ndarray, scores: np.ndarray) -> float:
    return agreement.auc(truth, scores)
