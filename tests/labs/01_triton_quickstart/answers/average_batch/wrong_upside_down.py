# Executions per picture.
# caught: AssertionError: average_batch(before, after) == 4.5
def average_batch(before: dict[str, float], after: dict[str, float]) -> float:
    executions = after["nv_inference_exec_count"] - before["nv_inference_exec_count"]
    pictures = after["nv_inference_count"] - before["nv_inference_count"]
    return executions / pictures if pictures else 0.0
