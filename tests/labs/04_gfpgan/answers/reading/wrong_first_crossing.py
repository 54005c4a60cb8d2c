# The first one above the line.
# caught: AssertionError: it comes back once
def reading(table: pd.DataFrame, threshold: float = 0.6) -> tuple[float | None, list[float]]:

    rising = table.sort_index()
    gone = rising.index[rising["restored_identity"] >= threshold]
    useless = rising.index[rising["restored_identity"] >= rising["damaged_identity"]]
    return (gone[0] if len(gone) else None), list(useless)
