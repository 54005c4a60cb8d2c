# The first rows are as good as any.
# caught: AssertionError: one side has one class only
def held_out(features: np.ndarray, labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, ...]:
    test = round(len(features) * share)
    return features[test:], features[:test], labels[test:], labels[:test]
