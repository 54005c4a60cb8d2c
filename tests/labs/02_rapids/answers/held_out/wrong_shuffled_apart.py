# Shuffle both.
# caught: AssertionError: each held-out row keeps its own label
def held_out(features: np.ndarray, labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    features, labels = random.permutation(features), random.permutation(labels)
    test = round(len(features) * share)
    return features[test:], features[:test], labels[test:], labels[:test]
