# The same clusters have the same sizes.
# caught: AssertionError: an index below 0
def same_clusters(first: np.ndarray, second: np.ndarray, tolerance: float = 0.01) -> bool:

    sizes = [sorted(np.unique(labels, return_counts=True)[1]) for labels in (first, second)]
    return sizes[0] == sizes[1]
