# The damaged face.
# caught: AssertionError: lost at once, at the threshold
def reading(table: pd.DataFrame, threshold: float = 0.6) -> tuple[float | None, list[float]]:

    rising = table.sort_index()
    lost = None
    for strength, distance in rising["damaged_identity"].iloc[::-1].items():
        if distance < threshold:
            break
        lost = strength
    return lost, list(rising.index[rising["restored_identity"] >= rising["damaged_identity"]])
