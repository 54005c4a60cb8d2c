# The names first, then one row for each of them.
# caught: AssertionError: the airlines are ['XX', 'YY']
def late_by_airline(flights, airlines, minutes=15):
    arrived = flights.dropna(subset=["arr_delay"]).merge(airlines, on="carrier", how="left")
    arrived = arrived.assign(late=(arrived["arr_delay"] >= minutes).astype("float64"))
    groups = arrived.groupby(["carrier", "name"])
    return groups.agg(flights=("arr_delay", "count"), late=("late", "mean")).reset_index()
