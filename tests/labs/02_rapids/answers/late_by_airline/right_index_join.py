# The names are joined by the index.
def late_by_airline(flights, airlines, minutes=15):
    arrived = flights.dropna(subset=["arr_delay"])
    arrived = arrived.assign(late=lambda table: (table["arr_delay"] >= minutes).astype("float32"))
    groups = arrived.groupby("carrier")
    table = groups.agg({"arr_delay": "count", "late": "mean"}).rename(columns={"arr_delay": "flights"})
    return table.join(airlines.set_index("carrier"), how="left").reset_index()
