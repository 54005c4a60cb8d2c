# The counters are there to be read.
# caught: AssertionError: and b did not run
def average_batches(before, after):
    return {e["name"]: e["inference_count"] / e["execution_count"] for e in after["model_stats"]}
