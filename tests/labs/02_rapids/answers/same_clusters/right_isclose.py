# NumPy compares within a tolerance.
def same_clusters(first: np.ndarray, second: np.ndarray, tolerance: float = 0.01) -> bool:
    return bool(np.isclose(adjusted_rand_score(first, second), 1, rtol=0, atol=tolerance))
