# Scale and shift.
# caught: AssertionError: assert np.allclose(similarity(square, square[:, ::-1] * [-1, 1])
def similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:

    p, t = points - points.mean(axis=0), target - target.mean(axis=0)
    scale = np.sqrt((t**2).sum() / (p**2).sum())
    shift = target.mean(axis=0) - scale * points.mean(axis=0)
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
