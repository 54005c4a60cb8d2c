# The deviation for so many rows, half of them clicks; that few are clicks is overlooked.
# caught: AssertionError: 8 clicks among 2,000 random rows
def learnable(truth: np.ndarray, scores: np.ndarray) -> bool:
    deviation = (1 / (3 * len(truth))) ** 0.5
    return agreement.auc(truth, scores) > 0.5 + 2.326 * deviation
