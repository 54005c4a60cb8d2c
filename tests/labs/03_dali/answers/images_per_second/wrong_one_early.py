# The clock starts one batch before.
# caught: AssertionError: assert np.isclose(images_per_second(clock, sizes, warm_up=3), 104.0)
def images_per_second(clock: list[float], sizes: list[int], warm_up: int) -> float:
    return sum(sizes[warm_up:]) / (clock[-1] - clock[max(warm_up - 1, 0)])
