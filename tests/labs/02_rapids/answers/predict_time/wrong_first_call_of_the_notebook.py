# Only the very first call is cold.
# caught: AssertionError: 0.1 ms for each row
def predict_time(measured: list[dict], rows: int) -> float:
    sizes = np.log([entry["rows"] for entry in measured])
    times = [measured[0]["seconds"][1:]] + [entry["seconds"] for entry in measured[1:]]
    slope, start = np.polyfit(sizes, np.log([np.mean(each) for each in times]), 1)
    return np.exp(start + slope * np.log(rows))
