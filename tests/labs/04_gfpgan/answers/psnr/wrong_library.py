# The library has it.
# caught: AssertionError: the library's own function is switched off here
def psnr(picture: np.ndarray, original: np.ndarray) -> float:

    return quality.psnr(picture, original)
