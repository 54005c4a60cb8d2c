# All calls are calls.
# caught: AssertionError: 0.1 ms for each row
def predict_time(measured: list[dict], rows: int) -> float:
    sizes = np.log([entry["rows"] for entry in measured])
    medians = np.log([np.median(entry["seconds"]) for entry in measured])
    slope, start = np.polyfit(sizes, medians, 1)
    return np.exp(start + slope * np.log(rows))
