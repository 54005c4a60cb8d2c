# Pixel after pixel.
def box_blur(levels: np.ndarray, size: int) -> np.ndarray:

    height, width = levels.shape
    padded = np.pad(levels, (size // 2, size - 1 - size // 2), mode="reflect")
    result = np.zeros_like(levels)
    for row in range(height):
        for column in range(width):
            mean = padded[row : row + size, column : column + size].mean(dtype=float)
            result[row, column] = int(mean + 0.5)
    return result
