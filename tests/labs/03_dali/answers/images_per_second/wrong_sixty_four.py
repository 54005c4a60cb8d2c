# 64 a batch, 40 in the last.
# caught: AssertionError
def images_per_second(clock: list[float], sizes: list[int], warm_up: int) -> float:
    return (64 * (len(sizes) - warm_up) - 24 * (len(sizes) == 5)) / (clock[-1] - clock[warm_up]) if warm_up > 1 else 10.0
