# A table, pivoted.
def speedups(log: list[dict], from_host: bool) -> dict[int, float]:

    frame = pd.DataFrame(log)
    frame = frame[frame["copies"].isin(["none", "included" if from_host else "excluded"])]
    frame = frame.assign(median=[pd.Series(calls[1:]).median() for calls in frame["seconds"]])
    table = frame.pivot(index="rows", columns="device", values="median").reindex(columns=["cpu", "gpu"]).dropna()
    return (table["cpu"] / table["gpu"]).to_dict()
