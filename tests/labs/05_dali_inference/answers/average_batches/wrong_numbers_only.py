# Counters are numbers.
# caught: TypeError: str
def average_batches(before, after):
    counted = {}
    for sign, reading in ((-1, before), (1, after)):
        for e in reading["model_stats"]:
            row = counted.setdefault(e["name"], [0, 0])
            row[0] += sign * e["inference_count"]
            row[1] += sign * e["execution_count"]
    return {name: pictures / runs for name, (pictures, runs) in counted.items() if runs}
