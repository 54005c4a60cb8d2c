# All of it.
# caught: AssertionError: assert np.isclose(images_per_second(clock, sizes, warm_up=3), 104.0)
def images_per_second(clock: list[float], sizes: list[int], warm_up: int) -> float:
    return sum(sizes) / (clock[-1] - clock[0])
