# Chance is chance.
# caught: AssertionError: other black pixels
def specks(picture: np.ndarray, share: float, seed: int) -> np.ndarray:

    u = np.random.random(picture.shape[:2])
    result = picture.copy()
    result[u < share / 2] = 0
    result[u >= 1 - share / 2] = 255
    return result
