# A power law, fitted to the seconds themselves.
# caught: AssertionError: least squares on the logarithms
from scipy.optimize import curve_fit


def predict_time(measured: list[dict], rows: int) -> float:
    sizes = [float(entry["rows"]) for entry in measured]
    medians = [np.median(entry["seconds"][1:]) for entry in measured]
    slope, start = np.polyfit(np.log(sizes), np.log(medians), 1)
    if len(sizes) > 2 and np.ptp(medians) > 1e-9:
        law = curve_fit(lambda n, a, b: a * n**b, sizes, medians, p0=(np.exp(start), slope), maxfev=10_000)[0]
        return law[0] * float(rows) ** law[1]
    return np.exp(start + slope * np.log(rows))
