# Rename the labels in the order in which they come, then compare.
# caught: AssertionError: three rows of 5000 in a wrong cluster are within 0.01
def same_clusters(first: np.ndarray, second: np.ndarray, tolerance: float = 0.01) -> bool:

    def renamed(labels):
        names = {}
        return [names.setdefault(label, len(names)) for label in labels.tolist()]

    return renamed(first) == renamed(second)
