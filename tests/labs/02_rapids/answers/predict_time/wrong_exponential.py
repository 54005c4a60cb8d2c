# Only the times as logarithms.
# caught: AssertionError: 0.1 ms for each row
def predict_time(measured: list[dict], rows: int) -> float:
    medians = np.log([np.median(entry["seconds"][1:]) for entry in measured])
    slope, start = np.polyfit([entry["rows"] for entry in measured], medians, 1)
    return np.exp(start + slope * rows)
