# The mean of the photos.
# caught: AssertionError: assert who(np.array([0.2, 0.0]), archive) == "Ada"
def who(unknown: np.ndarray, known: dict[str, np.ndarray], threshold: float = 0.6) -> str | None:

    distances = {name: np.linalg.norm(photos.mean(axis=0) - unknown) for name, photos in known.items()}
    nearest = min(distances, key=distances.get, default=None)
    return nearest if nearest is not None and distances[nearest] < threshold else None
