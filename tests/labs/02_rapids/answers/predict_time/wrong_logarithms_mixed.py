# Two kinds of logarithm.
# caught: AssertionError: 0.1 ms for each row
def predict_time(measured: list[dict], rows: int) -> float:
    sizes = np.log10([entry["rows"] for entry in measured])
    medians = np.log10([np.median(entry["seconds"][1:]) for entry in measured])
    slope, start = np.polyfit(sizes, medians, 1)
    return np.exp(start + slope * np.log10(rows))
