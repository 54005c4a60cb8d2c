# By its definition: for each click, how many of the others have a lower score; the others sorted once.
def quality(truth: np.ndarray, scores: np.ndarray) -> float:
    others = np.sort(scores[truth == 0])
    clicks = scores[truth == 1]
    lower = np.searchsorted(others, clicks, side="left")
    not_higher = np.searchsorted(others, clicks, side="right")
    return np.mean((lower + not_higher) / 2) / len(others)
