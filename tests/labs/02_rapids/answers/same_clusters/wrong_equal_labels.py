# The same clustering has the same labels.
# caught: AssertionError: # other numbers, same clusters
def same_clusters(first: np.ndarray, second: np.ndarray, tolerance: float = 0.01) -> bool:
    return (first == second).mean() >= 1 - tolerance
