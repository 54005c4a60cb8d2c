# The mean of the distances.
# caught: AssertionError: centroid_shift(corners, moved), 3.0
def centroid_shift(first: np.ndarray, second: np.ndarray) -> float:

    distances = cdist(first, second)
    return float(distances[linear_sum_assignment(distances)].mean())
