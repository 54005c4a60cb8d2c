# A column for each candidate.
def closest(candidates: dict[str, np.ndarray], reference: np.ndarray) -> tuple[str, float]:

    table = pd.DataFrame({name: pixels.ravel().astype(float) for name, pixels in candidates.items()})
    levels = table.sub(reference.ravel().astype(float), axis=0).abs().mean()
    return levels.idxmin(), levels.min()
