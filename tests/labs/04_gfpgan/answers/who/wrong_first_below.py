# The first one below the threshold.
# caught: AssertionError: both are near enough
def who(unknown: np.ndarray, known: dict[str, np.ndarray], threshold: float = 0.6) -> str | None:

    for name, photos in known.items():
        if np.linalg.norm(photos - unknown, axis=1).min() < threshold:
            return name
    return None
