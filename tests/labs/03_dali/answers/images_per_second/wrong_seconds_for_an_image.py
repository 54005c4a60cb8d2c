# Seconds for an image.
# caught: AssertionError
def images_per_second(clock: list[float], sizes: list[int], warm_up: int) -> float:
    return (clock[-1] - clock[warm_up]) / sum(sizes[warm_up:])
