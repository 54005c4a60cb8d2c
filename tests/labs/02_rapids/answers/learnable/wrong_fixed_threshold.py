# Less than 0.6 is not worth having.
# caught: AssertionError: a weak signal in 40,000 rows
def learnable(truth: np.ndarray, scores: np.ndarray) -> bool:
    return agreement.auc(truth, scores) > 0.6
