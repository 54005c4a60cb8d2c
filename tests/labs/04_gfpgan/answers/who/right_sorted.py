# Sorted pairs.
def who(unknown: np.ndarray, known: dict[str, np.ndarray], threshold: float = 0.6) -> str | None:

    pairs = sorted((identity_of(photos, unknown), name) for name, photos in known.items())
    return pairs[0][1] if pairs and pairs[0][0] < threshold else None


def identity_of(photos, unknown):
    return min(np.linalg.norm(photo - unknown) for photo in photos)
