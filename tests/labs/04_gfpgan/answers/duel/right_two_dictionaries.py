# A dictionary for each.
def duel(runs: list[dict], first: str, second: str) -> tuple[int, int]:

    def of(restorer):
        return {
            (run["picture"], run["damage"], run["strength"], run["seed"]): run["distance"]
            for run in runs
            if run["restorer"] == restorer
        }

    ours, theirs = of(first), of(second)
    common = ours.keys() & theirs.keys()
    return len(common), sum(ours[setting] < theirs[setting] for setting in common)
