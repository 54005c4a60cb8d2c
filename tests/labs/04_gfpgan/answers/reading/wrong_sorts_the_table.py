# Sort it in place.
# caught: AssertionError: the table was changed
def reading(table: pd.DataFrame, threshold: float = 0.6) -> tuple[float | None, list[float]]:

    table.sort_index(inplace=True)
    lost = None
    for strength, distance in table["restored_identity"].iloc[::-1].items():
        if distance < threshold:
            break
        lost = strength
    return lost, list(table.index[table["restored_identity"] >= table["damaged_identity"]])
