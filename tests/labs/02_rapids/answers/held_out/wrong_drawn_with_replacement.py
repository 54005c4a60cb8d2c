# Draw rows for both sides.
# caught: AssertionError: a row is on both sides
def held_out(features: np.ndarray, labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    test = random.integers(0, len(features), round(len(features) * share))
    train = random.integers(0, len(features), len(features) - len(test))
    return features[train], features[test], labels[train], labels[test]
