# How many places differ.
# caught: AssertionError: assert name == "darker"
def closest(candidates: dict[str, np.ndarray], reference: np.ndarray) -> tuple[str, float]:

    levels = {name: (pixels != reference).mean() * 2 for name, pixels in candidates.items()}
    best = min(levels, key=levels.get)
    return best, float(levels[best])
