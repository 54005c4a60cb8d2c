# The peak is the brightest level.
# caught: AssertionError: assert np.isclose(psnr(five, three), 42.1102
import math


def psnr(picture: np.ndarray, original: np.ndarray) -> float:

    error = np.mean((picture.astype(float) - original.astype(float)) ** 2)
    return math.inf if error == 0 else 10 * math.log10(float(original.max()) ** 2 / error)
