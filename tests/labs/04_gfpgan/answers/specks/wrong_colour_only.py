# Three channels, always.
# caught: IndexError: too many indices
def specks(picture: np.ndarray, share: float, seed: int) -> np.ndarray:

    u = np.random.default_rng(seed).random(picture.shape[:2])
    result = picture.copy()
    result[u < share / 2, :] = 0
    result[u >= 1 - share / 2, :] = 255
    return result
