# The mean of the difference.
# caught: AssertionError: ups and downs must not cancel out
def closest(candidates: dict[str, np.ndarray], reference: np.ndarray) -> tuple[str, float]:

    levels = {name: abs((pixels.astype(float) - reference).mean()) for name, pixels in candidates.items()}
    best = min(levels, key=levels.get)
    return best, float(levels[best])
