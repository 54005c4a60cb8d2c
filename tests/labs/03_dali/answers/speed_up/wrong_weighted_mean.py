# The factors, weighted by their stages' shares.
# caught: AssertionError: assert np.isclose(speed_up(example, {"decode": 3}), 10 / 6)  # 6 ms be
def speed_up(stages: dict[str, float], faster: dict[str, float]) -> float:
    return sum(t * faster.get(s, 1) for s, t in stages.items()) / sum(stages.values())
