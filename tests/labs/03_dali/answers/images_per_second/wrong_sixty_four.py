# 64 a batch, 40 in the last.
# caught: AssertionError: a warm-up of 0 of 7 batches
def images_per_second(clock: list[float], sizes: list[int], warm_up: int) -> float:
    return (64 * (len(sizes) - warm_up) - 24 * (len(sizes) == 5)) / (clock[-1] - clock[warm_up]) if warm_up > 1 else 10.0
