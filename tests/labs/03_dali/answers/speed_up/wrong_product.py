# The factors multiply.
# caught: AssertionError
def speed_up(stages: dict[str, float], faster: dict[str, float]) -> float:
    return float(np.prod(list(faster.values()))) if faster else 1.0
