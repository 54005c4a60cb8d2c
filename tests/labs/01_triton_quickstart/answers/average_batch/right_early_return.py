# Nothing ran if the counter of executions is what it was.
def average_batch(before, after):
    if after["nv_inference_exec_count"] == before["nv_inference_exec_count"]:
        return 0.0
    runs = after["nv_inference_exec_count"] - before["nv_inference_exec_count"]
    return (after["nv_inference_count"] - before["nv_inference_count"]) / runs
