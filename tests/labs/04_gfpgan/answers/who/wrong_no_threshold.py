# Somebody it must be.
# caught: AssertionError: assert who(np.array([9.0, 9.0]), archive) is None
def who(unknown: np.ndarray, known: dict[str, np.ndarray], threshold: float = 0.6) -> str | None:

    distances = {name: np.linalg.norm(photos - unknown, axis=1).min() for name, photos in known.items()}
    return min(distances, key=distances.get, default=None)
