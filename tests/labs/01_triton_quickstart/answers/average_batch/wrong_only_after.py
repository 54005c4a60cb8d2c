# The counters after the requests.
# caught: AssertionError: average_batch(before, after) == 4.5
def average_batch(before: dict[str, float], after: dict[str, float]) -> float:
    if not after["nv_inference_exec_count"]:
        return 0.0
    return after["nv_inference_count"] / after["nv_inference_exec_count"]
