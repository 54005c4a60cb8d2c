# NumPy, on the whole order at once.
def smallest_fill(order: list[int]) -> int:
    return int((np.asarray(order) - np.arange(len(order))).max()) + 1
