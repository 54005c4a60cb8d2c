# SciPy's linear regression.
import math
import statistics

from scipy.stats import linregress


def predict_time(measured: list[dict], rows: int) -> float:
    sizes = [math.log(entry["rows"]) for entry in measured]
    times = [math.log(statistics.median(entry["seconds"][1:])) for entry in measured]
    line = linregress(sizes, times)
    return math.exp(line.intercept) * rows**line.slope
