# Wide whole numbers.
import math


def psnr(picture: np.ndarray, original: np.ndarray) -> float:

    error = np.square(picture.astype(np.int64) - original).mean()
    return math.inf if not error else 20 * math.log10(255) - 10 * math.log10(error)
