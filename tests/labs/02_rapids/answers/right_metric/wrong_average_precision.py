# The area under the other curve, of precision over recall.
# caught: AssertionError: all scores are equal
from sklearn.metrics import average_precision_score


def quality(truth: np.ndarray, scores: np.ndarray) -> float:
    return float(average_precision_score(truth, scores))
