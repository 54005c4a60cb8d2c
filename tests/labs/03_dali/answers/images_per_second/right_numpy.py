# The seconds of each batch.
def images_per_second(clock: list[float], sizes: list[int], warm_up: int) -> float:

    seconds = np.diff(clock)
    return np.sum(sizes[warm_up:]) / np.sum(seconds[warm_up:])
