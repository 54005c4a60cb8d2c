# Equal pictures have 100 dB.
# caught: AssertionError: equal pictures
import math


def psnr(picture: np.ndarray, original: np.ndarray) -> float:

    error = np.mean((picture.astype(float) - original.astype(float)) ** 2)
    return 100.0 if error == 0 else 10 * math.log10(255**2 / error)
