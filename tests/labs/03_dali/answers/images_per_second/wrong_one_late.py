# The clock starts at the first batch that counts.
# caught: AssertionError
def images_per_second(clock: list[float], sizes: list[int], warm_up: int) -> float:
    return sum(sizes[warm_up:]) / (clock[-1] - clock[min(warm_up + 1, len(clock) - 2)])
