# The sum of the differences is a distance, too.
# caught: AssertionError: four centroids, where every shortcut fails
def centroid_shift(first: np.ndarray, second: np.ndarray) -> float:

    distances = cdist(first, second, "cityblock")
    return float(distances[linear_sum_assignment(distances)].max())
