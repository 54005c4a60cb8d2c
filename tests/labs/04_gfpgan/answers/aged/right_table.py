# A table of 256 levels.
def aged(picture: np.ndarray, brightness: float, noise: float, size: int, seed: int) -> np.ndarray:

    table = np.clip(np.rint(np.arange(256) * brightness), 0, 255).astype(np.uint8)
    bright = table[vintage.gray(picture)]
    specked = vintage.salt_and_pepper(bright, noise, seed=seed)
    return vintage.box_blur(specked, size)
