# Sorted, they belong together.
# caught: AssertionError: four centroids, where every shortcut fails
def centroid_shift(first: np.ndarray, second: np.ndarray) -> float:

    first, second = (points[np.lexsort(points.T[::-1])] for points in (first, second))
    return float(np.linalg.norm(first - second, axis=1).max())
