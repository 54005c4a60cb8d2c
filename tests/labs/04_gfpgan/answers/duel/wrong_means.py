# Compare the means.
# caught: AssertionError: assert duel(example, "B", "A") == (2, 1)
def duel(runs: list[dict], first: str, second: str) -> tuple[int, int]:

    ours = [run["distance"] for run in runs if run["restorer"] == first]
    theirs = [run["distance"] for run in runs if run["restorer"] == second]
    return min(len(ours), len(theirs)), int(np.mean(ours) < np.mean(theirs))
