# All batches are as large as the first.
# caught: AssertionError: assert np.isclose(images_per_second(clock, sizes, warm_up=3), 104.0)
def images_per_second(clock: list[float], sizes: list[int], warm_up: int) -> float:
    return sizes[0] * (len(sizes) - warm_up) / (clock[-1] - clock[warm_up])
