# The mean of the factors.
# caught: AssertionError
def speed_up(stages: dict[str, float], faster: dict[str, float]) -> float:
    return float(np.mean([faster.get(stage, 1) for stage in stages]))
