# Draw again for the white ones.
# caught: AssertionError: other black pixels
def specks(picture: np.ndarray, share: float, seed: int) -> np.ndarray:

    lots = np.random.default_rng(seed)
    result = picture.copy()
    result[lots.random(picture.shape[:2]) < share / 2] = 0
    result[lots.random(picture.shape[:2]) < share / 2] = 255
    return result
