# The share of black is half of the noise.
# caught: AssertionError: assert np.array_equal(tried, vintage.vintage
def aged(picture: np.ndarray, brightness: float, noise: float, size: int, seed: int) -> np.ndarray:

    bright = np.minimum(np.rint(vintage.gray(picture) * brightness), 255).astype(np.uint8)
    return vintage.box_blur(vintage.salt_and_pepper(bright, noise / 2, seed=seed), size)
