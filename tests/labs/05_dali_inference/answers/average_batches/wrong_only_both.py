# Only what both readings have can be compared.
# caught: AssertionError: loaded in between
def average_batches(before, after):
    old = {(e["name"], e["version"]): e for e in before["model_stats"]}
    pictures, runs = {}, {}
    for e in after["model_stats"]:
        was = old.get((e["name"], e["version"]))
        if was is not None:
            pictures[e["name"]] = pictures.get(e["name"], 0) + int(e["inference_count"]) - int(was["inference_count"])
            runs[e["name"]] = runs.get(e["name"], 0) + int(e["execution_count"]) - int(was["execution_count"])
    return {name: pictures[name] / count for name, count in runs.items() if count}
