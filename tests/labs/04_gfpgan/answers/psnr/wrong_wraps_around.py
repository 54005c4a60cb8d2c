# Subtract and square.
# caught: AssertionError: black against white is 0 dB
import math


def psnr(picture: np.ndarray, original: np.ndarray) -> float:

    error = np.mean((picture - original) ** 2)
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)
