# The time in each place.
# caught: AssertionError: abs(sum(shares.values()) - 1) < 1e-9
def time_shares(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    spent = {"queue": after["nv_inference_queue_duration_us"] - before["nv_inference_queue_duration_us"]}
    for place in ("input", "infer", "output"):
        name = f"nv_inference_compute_{place}_duration_us"
        spent[place] = after[name] - before[name]
    return spent
