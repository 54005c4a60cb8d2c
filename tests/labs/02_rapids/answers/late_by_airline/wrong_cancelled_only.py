# Flights that never left did not arrive; all others did.
# caught: AssertionError: column 'flights' differs
def late_by_airline(flights, airlines, minutes=15):
    arrived = flights.dropna(subset=["dep_delay"])
    arrived = arrived.assign(late=(arrived["arr_delay"] >= minutes).astype("float64"))
    table = arrived.groupby("carrier").agg(flights=("dep_delay", "count"), late=("late", "mean")).reset_index()
    return table.merge(airlines, on="carrier", how="left")[["carrier", "name", "flights", "late"]]
