# The mean of the factors.
# caught: AssertionError: assert np.isclose(speed_up(example, {"decode": 3}), 10 / 6)  # 6 ms be
def speed_up(stages: dict[str, float], faster: dict[str, float]) -> float:
    return float(np.mean([faster.get(stage, 1) for stage in stages]))
