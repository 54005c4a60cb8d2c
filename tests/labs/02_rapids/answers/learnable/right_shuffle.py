# Shuffle the labels, count how often the AUC is at least as high. The real order counts as one of them.
def learnable(truth: np.ndarray, scores: np.ndarray) -> bool:
    order = np.random.default_rng(0)
    ranks = pd.Series(scores).rank().to_numpy()  # the AUC grows with the sum of the clicks' ranks
    clicks = truth == 1
    found = ranks[clicks].sum()
    as_high = sum(ranks[order.permutation(clicks)].sum() >= found - 1e-9 for _ in range(500))
    return bool((as_high + 1) / 501 < 0.01)
