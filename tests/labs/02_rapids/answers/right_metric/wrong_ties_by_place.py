# Ranks by sorting: rows that share a score are ranked as they stand in the table.
# caught: AssertionError: all scores are equal
def quality(truth: np.ndarray, scores: np.ndarray) -> float:
    ranks = np.empty(len(scores))
    ranks[np.argsort(scores, kind="stable")] = np.arange(1, len(scores) + 1)
    clicks = np.sum(truth == 1)
    others = len(truth) - clicks
    return (ranks[truth == 1].sum() - clicks * (clicks + 1) / 2) / (clicks * others)
