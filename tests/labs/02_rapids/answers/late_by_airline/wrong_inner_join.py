# A join is a join.
# caught: AssertionError: the airlines are ['XX', 'YY']
def late_by_airline(flights, airlines, minutes=15):
    arrived = flights.dropna(subset=["arr_delay"])
    arrived = arrived.assign(late=(arrived["arr_delay"] >= minutes).astype("float64"))
    table = arrived.groupby("carrier").agg(flights=("arr_delay", "count"), late=("late", "mean")).reset_index()
    return table.merge(airlines, on="carrier")[["carrier", "name", "flights", "late"]]
