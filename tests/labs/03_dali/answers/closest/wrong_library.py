# The library has it.
# caught: AssertionError: the library's own function is switched off here
def closest(candidates: dict[str, np.ndarray], reference: np.ndarray) -> tuple[str, float]:

    levels = {name: parity.difference(pixels, reference) for name, pixels in candidates.items()}
    best = min(levels, key=levels.get)
    return best, float(levels[best])
