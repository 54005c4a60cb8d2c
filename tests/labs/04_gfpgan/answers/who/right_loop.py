# Photo after photo.
def who(unknown: np.ndarray, known: dict[str, np.ndarray], threshold: float = 0.6) -> str | None:

    best, least = None, threshold
    for name, photos in known.items():
        for photo in photos:
            distance = float(np.sqrt(((photo - unknown) ** 2).sum()))
            if distance < least:
                best, least = name, distance
    return best
