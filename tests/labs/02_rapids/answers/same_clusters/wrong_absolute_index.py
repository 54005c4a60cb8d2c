# The absolute value, but of the index.
# caught: AssertionError: the index is -0.5: 1.5 away from 1
def same_clusters(first: np.ndarray, second: np.ndarray, tolerance: float = 0.01) -> bool:
    return abs(adjusted_rand_score(first, second)) >= 1 - tolerance
