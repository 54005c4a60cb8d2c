# The check of the demo.
# caught: AssertionError: assert not same_clusters(mine, np.array([0, 1, 0, 1, 0, 1]))
def same_clusters(first: np.ndarray, second: np.ndarray, tolerance: float = 0.01) -> bool:
    return adjusted_rand_score(first, second) - 1 <= tolerance
