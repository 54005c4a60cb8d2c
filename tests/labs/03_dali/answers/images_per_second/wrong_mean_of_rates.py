# The mean of the batches' rates.
# caught: AssertionError: a warm-up of
def images_per_second(clock: list[float], sizes: list[int], warm_up: int) -> float:
    return float(np.mean([n / s for n, s in list(zip(sizes, np.diff(clock), strict=True))[warm_up:]]))
