# The shares of what stands on the page.
# caught: AssertionError: 'queue'
def time_shares(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    spent = {"queue": after["nv_inference_queue_duration_us"]}
    for place in ("input", "infer", "output"):
        spent[place] = after[f"nv_inference_compute_{place}_duration_us"]
    total = sum(spent.values())
    return {place: us / total for place, us in spent.items()}
