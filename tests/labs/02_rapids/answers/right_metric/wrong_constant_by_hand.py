# A constant is a special case; else the ranks, ties as they stand.
# caught: AssertionError: scores with ties, each worth one half
def quality(truth: np.ndarray, scores: np.ndarray) -> float:
    if np.all(scores == scores[0]):
        return 0.5
    ranks = np.argsort(np.argsort(scores, kind="stable"), kind="stable") + 1
    clicks = np.sum(truth == 1)
    others = len(truth) - clicks
    return (ranks[truth == 1].sum() - clicks * (clicks + 1) / 2) / (clicks * others)
