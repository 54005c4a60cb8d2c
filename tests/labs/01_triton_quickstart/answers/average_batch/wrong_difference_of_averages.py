# The average after minus the average before.
# caught: AssertionError: average_batch(before, after) == 4.5
def average_batch(before: dict[str, float], after: dict[str, float]) -> float:
    averages = []
    for reading in (before, after):
        executions = reading["nv_inference_exec_count"]
        averages.append(reading["nv_inference_count"] / executions if executions else 0.0)
    return averages[1] - averages[0]
