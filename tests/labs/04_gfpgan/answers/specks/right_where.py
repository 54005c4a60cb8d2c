# One expression.
def specks(picture: np.ndarray, share: float, seed: int) -> np.ndarray:

    u = np.random.default_rng(seed).random(picture.shape[:2])
    u = u[..., None] if picture.ndim == 3 else u
    return np.where(u < share / 2, 0, np.where(u >= 1 - share / 2, 255, picture)).astype(np.uint8)
