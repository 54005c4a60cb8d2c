# Change the picture itself.
# caught: AssertionError: the picture that was given has changed
def specks(picture: np.ndarray, share: float, seed: int) -> np.ndarray:

    u = np.random.default_rng(seed).random(picture.shape[:2])
    picture[u < share / 2] = 0
    picture[u >= 1 - share / 2] = 255
    return picture
