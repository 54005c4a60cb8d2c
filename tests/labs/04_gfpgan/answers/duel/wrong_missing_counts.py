# Who did not run has lost.
# caught: AssertionError: assert duel(example, "A", "B") == (2, 1)
def duel(runs: list[dict], first: str, second: str) -> tuple[int, int]:

    found = {}
    for run in runs:
        setting = tuple(run[key] for key in ("picture", "damage", "strength", "seed"))
        found.setdefault(setting, {})[run["restorer"]] = run["distance"]
    there = [distances for distances in found.values() if first in distances or second in distances]
    return len(there), sum(each.get(first, math.inf) < each.get(second, math.inf) for each in there)
