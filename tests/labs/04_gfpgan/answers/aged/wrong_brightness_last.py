# Brighten what came out.
# caught: AssertionError: assert np.array_equal(tried, vintage.vintage
def aged(picture: np.ndarray, brightness: float, noise: float, size: int, seed: int) -> np.ndarray:

    specked = vintage.salt_and_pepper(vintage.gray(picture), noise, seed=seed)
    return np.minimum(np.rint(vintage.box_blur(specked, size) * brightness), 255).astype(np.uint8)
