# A flight without a delay was not late.
# caught: AssertionError: column 'flights' differs
def late_by_airline(flights, airlines, minutes=15):
    late = flights.assign(late=(flights["arr_delay"] >= minutes).astype("float64"))
    table = late.groupby("carrier").agg(flights=("late", "count"), late=("late", "mean")).reset_index()
    return table.merge(airlines, on="carrier", how="left")[["carrier", "name", "flights", "late"]]
