# Try every order; there are few centroids.
from itertools import permutations


def centroid_shift(first: np.ndarray, second: np.ndarray) -> float:

    distances = cdist(first, second)
    own = range(len(first))
    best = min(permutations(own), key=lambda order: sum(distances[number, order[number]] for number in own))
    return max(distances[number, best[number]] for number in own)
