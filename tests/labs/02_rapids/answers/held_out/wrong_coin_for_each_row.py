# A coin for each row.
# caught: AssertionError: a quarter of 200 rows is 50
def held_out(features: np.ndarray, labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, ...]:
    test = np.random.default_rng(seed).random(len(features)) < share
    return features[~test], features[test], labels[~test], labels[test]
