# As series, renamed by what stands between the prefix and the unit.
def time_shares(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    grown = pd.Series(after) - pd.Series(before)
    grown.index = grown.index.str.replace("nv_inference_(compute_)?", "", regex=True).str.removesuffix("_duration_us")
    grown = grown.loc[["queue", "input", "infer", "output"]]
    return (grown / grown.sum()).to_dict()
