# The clock starts at the first batch that counts.
# caught: AssertionError: assert np.isclose(images_per_second(clock, sizes, warm_up=3), 104.0)
def images_per_second(clock: list[float], sizes: list[int], warm_up: int) -> float:
    return sum(sizes[warm_up:]) / (clock[-1] - clock[min(warm_up + 1, len(clock) - 2)])
