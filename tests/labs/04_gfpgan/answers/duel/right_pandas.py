# A pivot.
def duel(runs: list[dict], first: str, second: str) -> tuple[int, int]:

    if not runs:
        return 0, 0
    table = pd.DataFrame(runs).pivot_table(
        index=["picture", "damage", "strength", "seed"], columns="restorer", values="distance", sort=False
    )
    if first not in table or second not in table:
        return 0, 0
    both = table[[first, second]].dropna()
    return len(both), int((both[first] < both[second]).sum())
