# Sum the bytes.
# caught: AssertionError: white stays white
def box_blur(levels: np.ndarray, size: int) -> np.ndarray:

    height, width = levels.shape
    padded = np.pad(levels, (size // 2, size - 1 - size // 2), mode="reflect")
    total = np.zeros_like(levels)
    for down in range(size):
        for right in range(size):
            total += padded[down : down + height, right : right + width]
    return np.floor(total / size**2 + 0.5).astype(np.uint8)
