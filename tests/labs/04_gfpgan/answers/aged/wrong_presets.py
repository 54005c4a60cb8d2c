# The example's preset.
# caught: AssertionError: no damage but gray
def aged(picture: np.ndarray, brightness: float, noise: float, size: int, seed: int) -> np.ndarray:

    bright = np.minimum(np.rint(vintage.gray(picture) * 1.2), 255).astype(np.uint8)
    return vintage.box_blur(vintage.salt_and_pepper(bright, 0.01, seed=seed), 3)
