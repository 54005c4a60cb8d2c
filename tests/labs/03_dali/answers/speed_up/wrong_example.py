# The example.
# caught: AssertionError: of {
def speed_up(stages: dict[str, float], faster: dict[str, float]) -> float:
    return 10 / 6 if faster else 1
