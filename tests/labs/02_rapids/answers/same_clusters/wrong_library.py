# The library has it.
# caught: AssertionError: switched off
def same_clusters(first: np.ndarray, second: np.ndarray, tolerance: float = 0.01) -> bool:
    return bool(agreement.same_clusters(first, second, tolerance=tolerance))
