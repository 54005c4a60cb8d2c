# By how much it gains.
# caught: AssertionError
def speed_up(stages: dict[str, float], faster: dict[str, float]) -> float:
    return sum(stages.values()) / sum(t / faster.get(s, 1) for s, t in stages.items()) - 1
