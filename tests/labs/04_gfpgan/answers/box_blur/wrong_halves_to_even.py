# np.rint rounds.
# caught: AssertionError: assert (box_blur(point, 2)[2:4, 2:4] == 23).all()
def box_blur(levels: np.ndarray, size: int) -> np.ndarray:

    height, width = levels.shape
    padded = np.pad(levels.astype(int), (size // 2, size - 1 - size // 2), mode="reflect")
    total = sum(padded[down : down + height, right : right + width] for down in range(size) for right in range(size))
    return np.rint(total / size**2).astype(np.uint8)
