# Each cluster of the one lies within a cluster of the other.
# caught: AssertionError: one cluster of two split
from sklearn.metrics import homogeneity_score


def same_clusters(first: np.ndarray, second: np.ndarray, tolerance: float = 0.01) -> bool:
    return abs(homogeneity_score(first, second) - 1) <= tolerance
