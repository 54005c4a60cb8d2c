# Whole numbers with a sign.
def closest(candidates: dict[str, np.ndarray], reference: np.ndarray) -> tuple[str, float]:

    pairs = []
    for name, pixels in candidates.items():
        apart = np.subtract(pixels, reference, dtype=np.int16)
        pairs.append((np.abs(apart).mean(), name))
    levels, name = min(pairs)
    return name, levels
