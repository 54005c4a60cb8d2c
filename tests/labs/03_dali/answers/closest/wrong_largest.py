# The largest difference.
# caught: AssertionError: 40 levels at an eighth of the places
def closest(candidates: dict[str, np.ndarray], reference: np.ndarray) -> tuple[str, float]:

    levels = {name: np.abs(pixels.astype(float) - reference).max() for name, pixels in candidates.items()}
    best = min(levels, key=levels.get)
    return best, float(levels[best])
