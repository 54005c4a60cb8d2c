# The two unknowns from a system of equations.
def predict_time(measured: list[dict], rows: int) -> float:
    frame = pd.DataFrame(measured)
    medians = frame["seconds"].map(lambda calls: np.median(calls[1:]))
    matrix = np.column_stack([np.ones(len(frame)), np.log(frame["rows"])])
    a, b = np.linalg.lstsq(matrix, np.log(medians), rcond=None)[0]
    return np.exp(a + b * np.log(rows))
