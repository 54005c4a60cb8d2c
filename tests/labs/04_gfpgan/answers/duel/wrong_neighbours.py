# Runs stand in pairs.
# caught: AssertionError: equally near, and a third restorer
def duel(runs: list[dict], first: str, second: str) -> tuple[int, int]:

    compared = wins = 0
    for one, other in zip(runs, runs[1:]):
        same = all(one[key] == other[key] for key in ("picture", "damage", "strength", "seed"))
        if same and {one["restorer"], other["restorer"]} == {first, second}:
            compared += 1
            ours, theirs = (one, other) if one["restorer"] == first else (other, one)
            wins += ours["distance"] < theirs["distance"]
    return compared, wins
