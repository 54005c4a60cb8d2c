# The two largest sizes.
# caught: AssertionError: least squares on the logarithms
def predict_time(measured: list[dict], rows: int) -> float:
    ordered = sorted(measured, key=lambda entry: entry["rows"])
    (n, t), (m, s) = [(each["rows"], np.median(each["seconds"][1:])) for each in ordered[-2:]]
    return t * (rows / n) ** (np.log(s / t) / np.log(m / n))
