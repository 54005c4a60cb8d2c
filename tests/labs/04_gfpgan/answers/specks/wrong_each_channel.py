# A number for each channel.
# caught: AssertionError: assert 0.18 < black + white < 0.22
def specks(picture: np.ndarray, share: float, seed: int) -> np.ndarray:

    u = np.random.default_rng(seed).random(picture.shape)
    result = picture.copy()
    result[u < share / 2] = 0
    result[u >= 1 - share / 2] = 255
    return result
