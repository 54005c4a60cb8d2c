# Every request is an execution.
# caught: AssertionError: 64 requests, 8 executions
def average_batch(before: dict[str, float], after: dict[str, float]) -> float:
    requests = after["nv_inference_request_success"] - before["nv_inference_request_success"]
    if requests == 0:
        return 0.0
    return (after["nv_inference_count"] - before["nv_inference_count"]) / requests
