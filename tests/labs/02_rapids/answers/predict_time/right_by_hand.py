# Slope and mean, by hand.
def predict_time(measured: list[dict], rows: int) -> float:
    x = np.log2([entry["rows"] for entry in measured])
    y = np.log2([np.median(entry["seconds"][1:]) for entry in measured])
    slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    return 2 ** (y.mean() + slope * (np.log2(rows) - x.mean()))
