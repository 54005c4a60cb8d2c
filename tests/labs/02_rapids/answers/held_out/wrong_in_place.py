# Shuffle the arrays, twice with the same seed.
# caught: AssertionError: the caller's features were changed
def held_out(features: np.ndarray, labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, ...]:
    np.random.default_rng(seed).shuffle(features)
    np.random.default_rng(seed).shuffle(labels)
    test = round(len(features) * share)
    return features[test:], features[:test], labels[test:], labels[:test]
