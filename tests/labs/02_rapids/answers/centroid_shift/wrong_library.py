# The library has it.
# caught: AssertionError: switched off
from w251lab.rapids.agreement import centroid_distance


def centroid_shift(first: np.ndarray, second: np.ndarray) -> float:
    return centroid_distance(first, second)
