# The Rand index, without the correction for chance.
# caught: AssertionError: a tenth of the rows in a wrong cluster
from sklearn.metrics import rand_score


def same_clusters(first: np.ndarray, second: np.ndarray, tolerance: float = 0.01) -> bool:
    return abs(rand_score(first, second) - 1) <= tolerance
