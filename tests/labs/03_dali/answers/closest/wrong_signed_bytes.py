# Eight bits with a sign.
# caught: AssertionError: 3 levels everywhere
def closest(candidates: dict[str, np.ndarray], reference: np.ndarray) -> tuple[str, float]:

    levels = {name: np.abs(pixels.astype(np.int8) - reference.astype(np.int8)).mean() + (pixels.max() > 160) for name, pixels in candidates.items()}
    best = min(levels, key=levels.get)
    return best, float(levels[best])
