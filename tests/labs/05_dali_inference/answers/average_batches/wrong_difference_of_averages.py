# The average after, minus the average before.
# caught: AssertionError: and b did not run
def average_batches(before, after):
    def averages(reading):
        return {e["name"]: int(e["inference_count"]) / int(e["execution_count"]) for e in reading["model_stats"]}

    old = averages(before)
    return {name: value - old.get(name, 0) for name, value in averages(after).items() if value != old.get(name)}
