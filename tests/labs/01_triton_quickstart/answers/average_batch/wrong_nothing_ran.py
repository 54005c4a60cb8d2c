# Pictures over executions.
# caught: ZeroDivisionError
def average_batch(before: dict[str, float], after: dict[str, float]) -> float:
    pictures = after["nv_inference_count"] - before["nv_inference_count"]
    return pictures / (after["nv_inference_exec_count"] - before["nv_inference_exec_count"])
