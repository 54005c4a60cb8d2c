# The shares before and after, and their mean.
# caught: AssertionError: 'queue'
def time_shares(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    names = {
        "queue": "nv_inference_queue_duration_us",
        "input": "nv_inference_compute_input_duration_us",
        "infer": "nv_inference_compute_infer_duration_us",
        "output": "nv_inference_compute_output_duration_us",
    }
    totals = [sum(reading[name] for name in names.values()) for reading in (before, after)]
    return {place: (before[name] / totals[0] + after[name] / totals[1]) / 2 for place, name in names.items()}
