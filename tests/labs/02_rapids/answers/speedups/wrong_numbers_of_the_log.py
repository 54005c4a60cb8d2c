# The numbers are given.
# caught: AssertionError: only what both devices have
def speedups(log: list[dict], from_host: bool) -> dict[int, float]:

    return {1_000: 0.4 if from_host else 0.5, 1_000_000: 15.0 if from_host else 30.0}
