# 1 percent is what one takes.
# caught: AssertionError: not within 0.0001
def same_clusters(first: np.ndarray, second: np.ndarray, tolerance: float = 0.01) -> bool:
    return abs(adjusted_rand_score(first, second) - 1) <= 0.01
