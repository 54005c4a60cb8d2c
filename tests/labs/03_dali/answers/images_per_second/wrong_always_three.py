# A warm-up of 3, or of 1.
# caught: AssertionError: a warm-up of 0 of 7 batches
def images_per_second(clock: list[float], sizes: list[int], warm_up: int) -> float:
    return sum(sizes[min(3, len(sizes) - 1):]) / (clock[-1] - clock[min(3, len(sizes) - 1)])
