# Only the stages that become faster.
# caught: AssertionError: assert np.isclose(speed_up(example, {"decode": 3}), 10 / 6)  # 6 ms be
def speed_up(stages: dict[str, float], faster: dict[str, float]) -> float:
    return sum(stages[s] for s in faster) / sum(stages[s] / f for s, f in faster.items()) if faster else 1
