# One stage at a time.
# caught: AssertionError: of {
def speed_up(stages: dict[str, float], faster: dict[str, float]) -> float:
    return arithmetic.speedup_if_faster(stages, *next(iter(faster.items()))) if faster else 1
