# Shuffles the labels where they stand.
# caught: AssertionError: the caller's labels were changed
def learnable(truth: np.ndarray, scores: np.ndarray) -> bool:
    order = np.random.default_rng(0)
    ranks = pd.Series(scores).rank().to_numpy()
    found = ranks[truth == 1].sum()
    as_high = 1
    for _ in range(300):
        order.shuffle(truth)
        as_high += ranks[truth == 1].sum() >= found
    return bool(as_high / 301 < 0.01)
