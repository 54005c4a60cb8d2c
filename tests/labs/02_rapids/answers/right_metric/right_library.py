# scikit-learn has it.
from sklearn.metrics import roc_auc_score


def quality(truth: np.ndarray, scores: np.ndarray) -> float:
    return float(roc_auc_score(truth, scores))
