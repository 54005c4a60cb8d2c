# Features and labels of each side together.
# caught: AssertionError: a quarter of 200 rows is 50
def held_out(features: np.ndarray, labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, ...]:
    order = np.random.default_rng(seed).permutation(len(features))
    test, train = np.split(order, [round(len(features) * share)])
    return features[test], features[train], labels[test], labels[train]
