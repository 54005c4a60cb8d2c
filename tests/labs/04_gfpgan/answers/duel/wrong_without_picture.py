# One face is as good as another.
# caught: AssertionError: another picture
def duel(runs: list[dict], first: str, second: str) -> tuple[int, int]:

    found = {}
    for run in runs:
        setting = tuple(run[key] for key in ("damage", "strength", "seed"))
        found.setdefault(setting, {})[run["restorer"]] = run["distance"]
    both = [distances for distances in found.values() if first in distances and second in distances]
    return len(both), sum(distances[first] < distances[second] for distances in both)
