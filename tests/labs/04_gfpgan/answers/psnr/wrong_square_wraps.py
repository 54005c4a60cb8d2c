# The difference as a number with a sign.
# caught: AssertionError: black against white is 0 dB
import math


def psnr(picture: np.ndarray, original: np.ndarray) -> float:

    error = np.mean((picture.astype(np.int16) - original.astype(np.int16)) ** 2)
    return math.inf if error == 0 else 10 * math.log10(255**2 / abs(error))
