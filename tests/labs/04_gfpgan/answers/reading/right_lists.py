# Sorted tuples.
def reading(table: pd.DataFrame, threshold: float = 0.6) -> tuple[float | None, list[float]]:

    rows = sorted(zip(table.index, table["damaged_identity"], table["restored_identity"]))
    lost = None
    for strength, _, distance in rows:
        if distance >= threshold:
            lost = strength if lost is None else lost
        else:
            lost = None
    return lost, [strength for strength, before, after in rows if after >= before]
