# Each takes the nearest that is left.
# caught: AssertionError: the nearest pair first
def centroid_shift(first: np.ndarray, second: np.ndarray) -> float:

    left = list(second)
    largest = 0.0
    for centroid in first:
        distances = [float(np.linalg.norm(centroid - other)) for other in left]
        largest = max(largest, min(distances))
        left.pop(int(np.argmin(distances)))
    return largest
