# The factors, weighted by their stages' shares.
# caught: AssertionError
def speed_up(stages: dict[str, float], faster: dict[str, float]) -> float:
    return sum(t * faster.get(s, 1) for s, t in stages.items()) / sum(stages.values())
