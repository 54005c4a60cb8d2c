# Channels are summed up.
# caught: AssertionError: assert np.isclose(psnr(five, three), 42.1102
import math


def psnr(picture: np.ndarray, original: np.ndarray) -> float:

    error = ((picture.astype(float) - original.astype(float)) ** 2).sum() / (picture.shape[0] * picture.shape[1])
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)
