# A function says what the share is.
# caught: W251Error: .agg with a Python function
def late_by_airline(flights, airlines, minutes=15):
    arrived = flights.dropna(subset=["arr_delay"])
    groups = arrived.groupby("carrier")["arr_delay"]
    table = groups.agg(flights="count", late=lambda delays: (delays >= minutes).mean()).reset_index()
    return table.merge(airlines, on="carrier", how="left")[["carrier", "name", "flights", "late"]]
