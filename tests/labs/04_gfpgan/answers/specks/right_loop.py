# Pixel after pixel.
def specks(picture: np.ndarray, share: float, seed: int) -> np.ndarray:

    height, width = picture.shape[:2]
    u = np.random.default_rng(seed).random((height, width))
    result = picture.copy()
    for row in range(height):
        for column in range(width):
            if u[row, column] < share / 2:
                result[row, column] = 0
            elif u[row, column] >= 1 - share / 2:
                result[row, column] = 255
    return result
