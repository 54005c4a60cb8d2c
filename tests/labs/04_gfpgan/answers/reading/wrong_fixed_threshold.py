# The threshold is 0.6.
# caught: AssertionError: assert reading(example, threshold=0.9) == (None, [0.2])
def reading(table: pd.DataFrame, threshold: float = 0.6) -> tuple[float | None, list[float]]:

    rising = table.sort_index()
    lost = None
    for strength, distance in rising["restored_identity"].iloc[::-1].items():
        if distance < 0.6:
            break
        lost = strength
    return lost, list(rising.index[rising["restored_identity"] >= rising["damaged_identity"]])
