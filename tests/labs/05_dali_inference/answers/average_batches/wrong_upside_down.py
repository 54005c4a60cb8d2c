# Executions for a picture.
# caught: AssertionError: 64 pictures in 8 executions
def average_batches(before, after):
    counted = {}
    for sign, reading in ((-1, before), (1, after)):
        for e in reading["model_stats"]:
            row = counted.setdefault(e["name"], [0, 0])
            row[0] += sign * int(e["inference_count"])
            row[1] += sign * int(e["execution_count"])
    return {name: runs / pictures for name, (pictures, runs) in counted.items() if runs}
