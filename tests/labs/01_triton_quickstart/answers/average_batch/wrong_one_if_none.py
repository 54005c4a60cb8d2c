# At least one picture is in a batch.
# caught: AssertionError: nothing ran between the readings
def average_batch(before: dict[str, float], after: dict[str, float]) -> float:
    executions = after["nv_inference_exec_count"] - before["nv_inference_exec_count"]
    pictures = after["nv_inference_count"] - before["nv_inference_count"]
    return pictures / executions if executions else 1.0
