# Levels from 0 to 1.
# caught: AssertionError: assert np.isclose(levels, 2)
def closest(candidates: dict[str, np.ndarray], reference: np.ndarray) -> tuple[str, float]:

    levels = {name: np.abs(pixels / 255 - reference / 255).mean() for name, pixels in candidates.items()}
    best = min(levels, key=levels.get)
    return best, float(levels[best])
