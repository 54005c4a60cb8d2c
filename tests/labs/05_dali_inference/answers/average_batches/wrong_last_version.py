# A dictionary by name.
# caught: AssertionError: the versions count together
def average_batches(before, after):
    old = {e["name"]: e for e in before["model_stats"]}
    found = {}
    for e in after["model_stats"]:
        was = old.get(e["name"], {"inference_count": 0, "execution_count": 0})
        runs = int(e["execution_count"]) - int(was["execution_count"])
        if runs > 0:
            found[e["name"]] = (int(e["inference_count"]) - int(was["inference_count"])) / runs
    return found
