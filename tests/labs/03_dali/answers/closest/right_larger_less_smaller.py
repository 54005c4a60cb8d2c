# The larger one less the smaller one never wraps.
def closest(candidates: dict[str, np.ndarray], reference: np.ndarray) -> tuple[str, float]:

    best, fewest = "", np.inf
    for name, pixels in candidates.items():
        levels = np.mean(np.maximum(pixels, reference) - np.minimum(pixels, reference))
        if levels < fewest:
            best, fewest = name, levels
    return best, fewest
