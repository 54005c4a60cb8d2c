# Blur, then specks.
# caught: AssertionError: assert np.array_equal(tried, vintage.vintage
def aged(picture: np.ndarray, brightness: float, noise: float, size: int, seed: int) -> np.ndarray:

    bright = np.minimum(np.rint(vintage.gray(picture) * brightness), 255).astype(np.uint8)
    return vintage.salt_and_pepper(vintage.box_blur(bright, size), noise, seed=seed)
