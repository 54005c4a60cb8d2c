# What did not run has an average of 0.
# caught: AssertionError: and b did not run
def average_batches(before, after):
    counted = {}
    for sign, reading in ((-1, before), (1, after)):
        for e in reading["model_stats"]:
            row = counted.setdefault(e["name"], [0, 0])
            row[0] += sign * int(e["inference_count"])
            row[1] += sign * int(e["execution_count"])
    return {name: pictures / runs if runs else 0.0 for name, (pictures, runs) in counted.items()}
