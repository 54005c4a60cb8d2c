# The share is p.
# caught: AssertionError: assert 0.18 < black + white < 0.22
def specks(picture: np.ndarray, share: float, seed: int) -> np.ndarray:

    u = np.random.default_rng(seed).random(picture.shape[:2])
    result = picture.copy()
    result[u < share] = 0
    result[u >= 1 - share] = 255
    return result
