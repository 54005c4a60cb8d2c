# A click that shares its score with another row has not won.
# caught: AssertionError: all scores are equal
def quality(truth: np.ndarray, scores: np.ndarray) -> float:
    others = np.sort(scores[truth == 0])
    return float(np.mean(np.searchsorted(others, scores[truth == 1], side="left")) / len(others))
