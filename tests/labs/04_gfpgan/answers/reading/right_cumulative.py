# The smallest distance from here on.
def reading(table: pd.DataFrame, threshold: float = 0.6) -> tuple[float | None, list[float]]:

    rising = table.sort_index()
    later = rising["restored_identity"][::-1].cummin()[::-1]
    gone = later[later >= threshold].index
    helped = rising["restored_identity"] < rising["damaged_identity"]
    return (gone[0] if len(gone) else None), rising.index[~helped].tolist()
