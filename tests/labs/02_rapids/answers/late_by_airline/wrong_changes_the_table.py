# A new column in the table that I am given.
# caught: AssertionError: the given table was changed
def late_by_airline(flights, airlines, minutes=15):
    flights.dropna(subset=["arr_delay"], inplace=True)
    flights["late"] = (flights["arr_delay"] >= minutes).astype("float64")
    table = flights.groupby("carrier").agg(flights=("arr_delay", "count"), late=("late", "mean")).reset_index()
    return table.merge(airlines, on="carrier", how="left")[["carrier", "name", "flights", "late"]]
