# The mean of the warm calls.
# caught: AssertionError: 0.1 ms for each row
def predict_time(measured: list[dict], rows: int) -> float:
    sizes = np.log([entry["rows"] for entry in measured])
    means = np.log([np.mean(entry["seconds"][1:]) for entry in measured])
    slope, start = np.polyfit(sizes, means, 1)
    return np.exp(start + slope * np.log(rows))
