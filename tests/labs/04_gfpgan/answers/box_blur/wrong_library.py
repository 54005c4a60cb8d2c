# The library has it.
# caught: AssertionError: the library's own function is switched off here
def box_blur(levels: np.ndarray, size: int) -> np.ndarray:

    return vintage.box_blur(levels, size)
