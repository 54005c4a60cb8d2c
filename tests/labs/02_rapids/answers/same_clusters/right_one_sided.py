# The index is never above 1.
def same_clusters(first: np.ndarray, second: np.ndarray, tolerance: float = 0.01) -> bool:
    return 1 - adjusted_rand_score(first, second) <= tolerance
