# A Counter for the pictures and one for the executions.
from collections import Counter


def average_batches(before, after):
    pictures, runs = Counter(), Counter()
    for entry in after["model_stats"]:
        pictures[entry["name"]] += int(entry["inference_count"])
        runs[entry["name"]] += int(entry["execution_count"])
    for entry in before["model_stats"]:
        pictures[entry["name"]] -= int(entry["inference_count"])
        runs[entry["name"]] -= int(entry["execution_count"])
    return {name: pictures[name] / count for name, count in runs.items() if count}
