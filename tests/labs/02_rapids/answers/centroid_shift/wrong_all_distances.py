# All distances in the pairs.
# caught: ValueError: truth value of an array
def centroid_shift(first: np.ndarray, second: np.ndarray) -> float:

    distances = cdist(first, second)
    return distances[linear_sum_assignment(distances)]
