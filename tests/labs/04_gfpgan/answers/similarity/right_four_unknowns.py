# Ten equations, four unknowns.
def similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:

    rows, wanted = [], []
    for (x, y), (to_x, to_y) in zip(points, target):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        wanted += [to_x, to_y]
    a, b, c, d = np.linalg.lstsq(np.array(rows, float), np.array(wanted, float), rcond=None)[0]
    return np.array([[a, -b, c], [b, a, d]])
