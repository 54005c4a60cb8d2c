# The seed says where the held-out rows begin.
# caught: AssertionError: one side has one class only
def held_out(features: np.ndarray, labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, ...]:
    order = np.roll(np.arange(len(features)), 31 * seed)
    test, train = np.split(order, [round(len(features) * share)])
    return features[train], features[test], labels[train], labels[test]
