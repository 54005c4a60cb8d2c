# Rows only.
# caught: AssertionError: assert (box_blur(point, 3)[1:4, 1:4] == 10).all()
def box_blur(levels: np.ndarray, size: int) -> np.ndarray:

    height, width = levels.shape
    padded = np.pad(levels.astype(int), ((0, 0), (size // 2, size - 1 - size // 2)), mode="reflect")
    total = sum(padded[:, right : right + width] for right in range(size))
    return np.floor(total / size + 0.5).astype(np.uint8)
