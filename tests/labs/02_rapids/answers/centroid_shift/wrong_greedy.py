# The nearest pair first, then the nearest of the rest.
# caught: AssertionError: the nearest pair first
def centroid_shift(first: np.ndarray, second: np.ndarray) -> float:

    distances = cdist(first, second)
    largest = 0.0
    for _ in range(len(first)):
        row, column = np.unravel_index(distances.argmin(), distances.shape)
        largest = max(largest, float(distances[row, column]))
        distances[row, :] = np.inf
        distances[:, column] = np.inf
    return largest
