# There is always somebody.
# caught: ValueError: an empty archive
def who(unknown: np.ndarray, known: dict[str, np.ndarray], threshold: float = 0.6) -> str | None:

    distances = {name: np.linalg.norm(photos - unknown, axis=1).min() for name, photos in known.items()}
    nearest = min(distances, key=distances.get)
    return nearest if distances[nearest] < threshold else None
