# I know pd.merge.
# caught: TypeError: ColumnsOnly
def late_by_airline(flights, airlines, minutes=15):
    arrived = flights.dropna(subset=["arr_delay"])
    arrived = arrived.assign(late=(arrived["arr_delay"] >= minutes).astype("float64"))
    table = arrived.groupby("carrier").agg(flights=("arr_delay", "count"), late=("late", "mean")).reset_index()
    return pd.merge(table, airlines, on="carrier", how="left")[["carrier", "name", "flights", "late"]]
