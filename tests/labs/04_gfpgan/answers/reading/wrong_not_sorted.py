# As the rows come.
# caught: AssertionError: rows from harsh to mild
def reading(table: pd.DataFrame, threshold: float = 0.6) -> tuple[float | None, list[float]]:

    lost = None
    for strength, distance in table["restored_identity"].iloc[::-1].items():
        if distance < threshold:
            break
        lost = strength
    return lost, list(table.index[table["restored_identity"] >= table["damaged_identity"]])
