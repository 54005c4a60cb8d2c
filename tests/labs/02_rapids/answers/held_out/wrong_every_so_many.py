# Every fifth row, beginning where the seed says.
# caught: AssertionError: every so many rows is not by lot
def held_out(features: np.ndarray, labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, ...]:
    step = round(1 / share)
    test = np.zeros(len(features), dtype=bool)
    test[seed % step :: step] = True
    return features[~test], features[test], labels[~test], labels[test]
