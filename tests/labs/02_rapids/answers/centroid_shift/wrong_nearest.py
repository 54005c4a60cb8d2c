# To each centroid its nearest one.
# caught: AssertionError: the nearest pair first
def centroid_shift(first: np.ndarray, second: np.ndarray) -> float:
    return float(cdist(first, second).min(axis=1).max())
