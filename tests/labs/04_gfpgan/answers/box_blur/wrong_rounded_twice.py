# Round after the rows, and after the columns.
# caught: AssertionError: the middle, box of 3
def box_blur(levels: np.ndarray, size: int) -> np.ndarray:

    height, width = levels.shape
    padded = np.pad(levels.astype(int), (size // 2, size - 1 - size // 2), mode="reflect")
    rows = np.floor(sum(padded[down : down + height] for down in range(size)) / size + 0.5)
    both = sum(rows[:, right : right + width] for right in range(size)) / size
    return np.floor(both + 0.5).astype(np.uint8)
