# Beyond the edge there is nothing.
# caught: AssertionError: white stays white
def box_blur(levels: np.ndarray, size: int) -> np.ndarray:

    height, width = levels.shape
    padded = np.pad(levels.astype(int), (size // 2, size - 1 - size // 2))
    total = sum(padded[down : down + height, right : right + width] for down in range(size) for right in range(size))
    return np.floor(total / size**2 + 0.5).astype(np.uint8)
