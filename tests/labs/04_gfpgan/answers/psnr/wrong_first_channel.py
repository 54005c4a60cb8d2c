# Gray pictures: one channel will do.
# caught: AssertionError: pictures by lot
import math


def psnr(picture: np.ndarray, original: np.ndarray) -> float:

    one, other = (each[..., 0] if each.ndim == 3 else each for each in (picture.astype(float), original.astype(float)))
    error = np.mean((one - other) ** 2)
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)
