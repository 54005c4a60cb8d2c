# Above one half is above chance.
# caught: AssertionError: 60 random rows whose AUC is 0.56 by luck
def learnable(truth: np.ndarray, scores: np.ndarray) -> bool:
    return agreement.auc(truth, scores) > 0.5
