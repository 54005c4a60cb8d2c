# The best pairing of the first few with each subset of the others.
def centroid_shift(first: np.ndarray, second: np.ndarray) -> float:

    distances = cdist(first, second)
    best = {frozenset(): (0.0, 0.0)}
    for row in distances:
        longer = {}
        for used, (total, largest) in best.items():
            for column, distance in enumerate(row):
                if column not in used:
                    key, value = used | {column}, (total + distance, max(largest, distance))
                    longer[key] = min(longer.get(key, value), value)
        best = longer
    ((_, largest),) = best.values()
    return largest
