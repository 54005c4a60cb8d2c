# Specks are black.
# caught: AssertionError: other black pixels
def specks(picture: np.ndarray, share: float, seed: int) -> np.ndarray:

    u = np.random.default_rng(seed).random(picture.shape[:2])
    result = picture.copy()
    result[u < share] = 0
    return result
