# The factors multiply.
# caught: AssertionError: assert np.isclose(speed_up(example, {"decode": 3}), 10 / 6)  # 6 ms be
def speed_up(stages: dict[str, float], faster: dict[str, float]) -> float:
    return float(np.prod(list(faster.values()))) if faster else 1.0
