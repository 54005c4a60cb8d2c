# Four places, so a quarter each.
# caught: AssertionError: 'queue'
def time_shares(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {"queue": 0.25, "input": 0.25, "infer": 0.25, "output": 0.25}
