# Number 0 belongs to number 0.
# caught: AssertionError: # in another order
def centroid_shift(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.linalg.norm(first - second, axis=1).max())
