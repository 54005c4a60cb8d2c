# The average of the versions' averages.
# caught: AssertionError: the versions count together
def average_batches(before, after):
    old = {(e["name"], e["version"]): e for e in before["model_stats"]}
    found = {}
    for e in after["model_stats"]:
        was = old.get((e["name"], e["version"]), {"inference_count": 0, "execution_count": 0})
        runs = int(e["execution_count"]) - int(was["execution_count"])
        if runs:
            pictures = int(e["inference_count"]) - int(was["inference_count"])
            found.setdefault(e["name"], []).append(pictures / runs)
    return {name: sum(values) / len(values) for name, values in found.items()}
