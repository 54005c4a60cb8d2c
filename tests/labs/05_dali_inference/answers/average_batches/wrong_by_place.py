# The same model stands at the same place in both.
# caught: AssertionError: loaded in between
def average_batches(before, after):
    found = {}
    for old, new in zip(before["model_stats"], after["model_stats"]):
        runs = new["execution_count"] - old["execution_count"]
        if runs:
            found[new["name"]] = (new["inference_count"] - old["inference_count"]) / runs
    return found
