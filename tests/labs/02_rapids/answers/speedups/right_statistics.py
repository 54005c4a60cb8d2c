# Python's own median, entry by entry.
from statistics import median


def speedups(log: list[dict], from_host: bool) -> dict[int, float]:

    found = {}
    for ours in log:
        for theirs in log:
            pair = ours["device"] == "cpu" and theirs["device"] == "gpu" and ours["rows"] == theirs["rows"]
            if pair and theirs["copies"] == ("included" if from_host else "excluded"):
                _, *slow = ours["seconds"]
                _, *fast = theirs["seconds"]
                found[ours["rows"]] = median(slow) / median(fast)
    return found
