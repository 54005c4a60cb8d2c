# So much for each row, by the largest size.
# caught: AssertionError: exponent 0.0
def predict_time(measured: list[dict], rows: int) -> float:
    last = max(measured, key=lambda entry: entry["rows"])
    return np.median(last["seconds"][1:]) * rows / last["rows"]
