# The AUC of the decisions: a click if the score is above one half.
# caught: AssertionError: the model knows more than a coin
def quality(truth: np.ndarray, scores: np.ndarray) -> float:
    return agreement.auc(truth, scores > (0.5 if scores.max() > 0.5 else scores.mean()))
