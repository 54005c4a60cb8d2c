# scikit-learn's own; it rounds up.
from sklearn.model_selection import train_test_split


def held_out(features: np.ndarray, labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, ...]:
    return tuple(train_test_split(features, labels, test_size=share, random_state=seed))
