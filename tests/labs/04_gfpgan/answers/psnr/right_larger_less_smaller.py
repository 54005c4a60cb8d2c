# The larger less the smaller never wraps.
import math


def psnr(picture: np.ndarray, original: np.ndarray) -> float:

    apart = (np.maximum(picture, original) - np.minimum(picture, original)).astype(np.float64)
    error = float((apart * apart).mean())
    if error == 0:
        return math.inf
    return 10 * math.log10(255 * 255 / error)
