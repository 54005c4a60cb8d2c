# SciPy has the test of Mann and Whitney, with its correction for ties.
from scipy.stats import mannwhitneyu


def learnable(truth: np.ndarray, scores: np.ndarray) -> bool:
    if len(np.unique(scores)) == 1:
        return False
    return mannwhitneyu(scores[truth == 1], scores[truth == 0], alternative="greater").pvalue < 0.01
