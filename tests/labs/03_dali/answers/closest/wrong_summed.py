# The sum.
# caught: AssertionError: assert np.isclose(levels, 2)
def closest(candidates: dict[str, np.ndarray], reference: np.ndarray) -> tuple[str, float]:

    levels = {name: np.abs(pixels.astype(float) - reference).sum() for name, pixels in candidates.items()}
    best = min(levels, key=levels.get)
    return best, float(levels[best])
