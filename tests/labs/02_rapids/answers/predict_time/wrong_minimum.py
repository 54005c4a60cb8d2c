# The best call is the true one.
# caught: AssertionError: exponent
def predict_time(measured: list[dict], rows: int) -> float:
    sizes = np.log([entry["rows"] for entry in measured])
    best = np.log([min(entry["seconds"][1:]) for entry in measured])
    slope, start = np.polyfit(sizes, best, 1)
    return np.exp(start + slope * np.log(rows))
