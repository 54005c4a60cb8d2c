# 42, as always.
# caught: AssertionError: another seed gives other rows
def held_out(features: np.ndarray, labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, ...]:
    order = np.random.default_rng(42).permutation(len(features))
    test, train = np.split(order, [round(len(features) * share)])
    return features[train], features[test], labels[train], labels[test]
