# With pandas.
def honest_claim(log: list[dict]) -> tuple[float, float, float]:
    runs = pd.DataFrame(log).query("rounds == 100 and not first")
    total = runs[["copy", "matrix", "training", "prediction"]].sum(axis=1)
    quartiles = total.groupby(runs["device"]).quantile([0.25, 0.5, 0.75]).unstack(0)
    return (
        quartiles.loc[0.25, "cpu"] / quartiles.loc[0.75, "gpu"],
        quartiles.loc[0.5, "cpu"] / quartiles.loc[0.5, "gpu"],
        quartiles.loc[0.75, "cpu"] / quartiles.loc[0.25, "gpu"],
    )
