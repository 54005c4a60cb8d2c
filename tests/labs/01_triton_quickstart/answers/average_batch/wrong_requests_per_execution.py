# How many requests went into an execution.
# caught: AssertionError: average_batch(before, after) == 4.5
def average_batch(before: dict[str, float], after: dict[str, float]) -> float:
    executions = after["nv_inference_exec_count"] - before["nv_inference_exec_count"]
    requests = after["nv_inference_request_success"] - before["nv_inference_request_success"]
    return requests / executions if executions else 0.0
