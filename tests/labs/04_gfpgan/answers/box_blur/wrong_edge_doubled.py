# Mirrored with the edge itself.
# caught: AssertionError: the edges, box of 3
def box_blur(levels: np.ndarray, size: int) -> np.ndarray:

    height, width = levels.shape
    padded = np.pad(levels.astype(int), (size // 2, size - 1 - size // 2), mode="symmetric")
    total = sum(padded[down : down + height, right : right + width] for down in range(size) for right in range(size))
    return np.floor(total / size**2 + 0.5).astype(np.uint8)
