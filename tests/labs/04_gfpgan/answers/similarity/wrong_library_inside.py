# The library has it, inside.
# caught: AssertionError: the library's own function is switched off here
def similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:

    return align.least_squares(np.asarray(points, float), np.asarray(target, float))
