# Each run against each.
# caught: AssertionError: assert duel(example, "A", "B") == (2, 1)
def duel(runs: list[dict], first: str, second: str) -> tuple[int, int]:

    ours = [run["distance"] for run in runs if run["restorer"] == first]
    theirs = [run["distance"] for run in runs if run["restorer"] == second]
    return len(ours) * len(theirs), sum(one < other for one in ours for other in theirs)
