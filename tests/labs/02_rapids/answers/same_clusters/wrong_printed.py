# The answer is on the screen.
# caught: AssertionError: assert same_clusters(mine, mine)
def same_clusters(first: np.ndarray, second: np.ndarray, tolerance: float = 0.01) -> bool:
    print(abs(adjusted_rand_score(first, second) - 1) <= tolerance)
