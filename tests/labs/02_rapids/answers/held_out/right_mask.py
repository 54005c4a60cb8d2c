# The rows that have the lowest random numbers.
def held_out(features: np.ndarray, labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, ...]:
    drawn = np.random.RandomState(seed).random_sample(len(features))
    test = np.zeros(len(features), dtype=bool)
    test[np.argsort(drawn)[: round(len(features) * share)]] = True
    return features[~test], features[test], labels[~test], labels[test]
