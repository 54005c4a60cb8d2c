# Centred, then turned.
def similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:

    p, t = points - points.mean(axis=0), target - target.mean(axis=0)
    size = (p**2).sum()
    a, b = (p * t).sum() / size, (p[:, 0] * t[:, 1] - p[:, 1] * t[:, 0]).sum() / size
    turn = np.array([[a, -b], [b, a]])
    return np.column_stack([turn, target.mean(axis=0) - turn @ points.mean(axis=0)])
