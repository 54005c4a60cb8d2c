# At the threshold is still the same.
# caught: AssertionError: at the threshold
def who(unknown: np.ndarray, known: dict[str, np.ndarray], threshold: float = 0.6) -> str | None:

    distances = {name: np.linalg.norm(photos - unknown, axis=1).min() for name, photos in known.items()}
    nearest = min(distances, key=distances.get, default=None)
    return nearest if nearest is not None and distances[nearest] <= threshold else None
