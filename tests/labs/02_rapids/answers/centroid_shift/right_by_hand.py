# Distances by NumPy, pairs by SciPy, the other side's order.
def centroid_shift(first: np.ndarray, second: np.ndarray) -> float:

    apart = np.sqrt(((second[:, None, :] - first[None, :, :]) ** 2).sum(axis=-1))
    rows, columns = linear_sum_assignment(apart)
    return np.linalg.norm(second[rows] - first[columns], axis=1).max()
