# The pictures of all batches.
# caught: AssertionError
def images_per_second(clock: list[float], sizes: list[int], warm_up: int) -> float:
    return sum(sizes) / (clock[-1] - clock[warm_up])
