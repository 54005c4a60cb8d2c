# Gray has one channel; three at the end.
def aged(picture: np.ndarray, brightness: float, noise: float, size: int, seed: int) -> np.ndarray:

    gray = vintage.gray(picture)[:, :, 0]
    bright = np.rint(gray.astype(float) * brightness).clip(max=255).astype(np.uint8)
    one = vintage.box_blur(vintage.salt_and_pepper(bright, noise, seed=seed), size)
    return np.dstack([one, one, one])
