# Counts the orders that are higher, not those that are as high.
# caught: AssertionError: all scores are equal
def learnable(truth: np.ndarray, scores: np.ndarray) -> bool:
    order = np.random.default_rng(0)
    ranks = pd.Series(scores).rank().to_numpy()
    clicks = truth == 1
    found = ranks[clicks].sum()
    return bool(np.mean([ranks[order.permutation(clicks)].sum() > found for _ in range(500)]) < 0.01)
