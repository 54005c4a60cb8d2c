# The last strength at which it holds.
# caught: AssertionError: assert reading(example) == (0.6, [0.2])
def reading(table: pd.DataFrame, threshold: float = 0.6) -> tuple[float | None, list[float]]:

    rising = table.sort_index()
    good = rising.index[rising["restored_identity"] < threshold]
    return (good[-1] if len(good) else None), list(
        rising.index[rising["restored_identity"] >= rising["damaged_identity"]]
    )
