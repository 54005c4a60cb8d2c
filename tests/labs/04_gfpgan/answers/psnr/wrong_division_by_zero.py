# The formula.
# caught: ZeroDivisionError: float division by zero
import math


def psnr(picture: np.ndarray, original: np.ndarray) -> float:

    error = float(np.mean((picture.astype(float) - original.astype(float)) ** 2))
    return 10 * math.log10(255**2 / error)
