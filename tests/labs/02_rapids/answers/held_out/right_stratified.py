# As many of each class on both sides, where that can be.
from sklearn.model_selection import train_test_split


def held_out(features: np.ndarray, labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, ...]:
    rows = np.arange(len(features))
    counts = np.unique(labels, return_counts=True)[1]
    how = labels if counts.min() > 1 else None
    train, test = train_test_split(rows, test_size=round(len(rows) * share), random_state=seed, stratify=how)
    return features[train], features[test], labels[train], labels[test]
