# The notebook's seed.
# caught: AssertionError: darker: white specks stay white
def aged(picture: np.ndarray, brightness: float, noise: float, size: int, seed: int) -> np.ndarray:

    bright = np.minimum(np.rint(vintage.gray(picture) * brightness), 255).astype(np.uint8)
    return vintage.box_blur(vintage.salt_and_pepper(bright, noise, seed=251), size)
