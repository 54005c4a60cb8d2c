# Late is more than 15 minutes.
# caught: AssertionError: column 'late' differs
def late_by_airline(flights, airlines, minutes=15):
    arrived = flights.dropna(subset=["arr_delay"])
    arrived = arrived.assign(late=(arrived["arr_delay"] > minutes).astype("float64"))
    table = arrived.groupby("carrier").agg(flights=("arr_delay", "count"), late=("late", "mean")).reset_index()
    return table.merge(airlines, on="carrier", how="left")[["carrier", "name", "flights", "late"]]
