# White stays white anyway.
# caught: AssertionError: darker: white specks stay white
def aged(picture: np.ndarray, brightness: float, noise: float, size: int, seed: int) -> np.ndarray:

    specked = vintage.salt_and_pepper(vintage.gray(picture), noise, seed=seed)
    bright = np.minimum(np.rint(specked * brightness), 255).astype(np.uint8)
    return vintage.box_blur(bright, size)
