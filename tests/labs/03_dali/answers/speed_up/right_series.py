# pandas.
def speed_up(stages: dict[str, float], faster: dict[str, float]) -> float:

    before = pd.Series(stages, dtype=float)
    after = before / pd.Series(faster, dtype=float).reindex(before.index).fillna(1.0)
    return before.sum() / after.sum()
