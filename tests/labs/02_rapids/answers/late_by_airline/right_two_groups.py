# All flights, and the late ones; then one over the other.
def late_by_airline(flights, airlines, minutes=15):
    arrived = flights[~flights["arr_delay"].isna()]
    every = arrived.groupby("carrier")["arr_delay"].count().reset_index().rename(columns={"arr_delay": "flights"})
    came_late = arrived[arrived["arr_delay"] >= minutes].groupby("carrier")["arr_delay"].count().reset_index()
    both = every.merge(came_late, on="carrier", how="left")
    both["late"] = both["arr_delay"].fillna(0) / both["flights"]
    return both.drop(columns=["arr_delay"]).merge(airlines, on="carrier", how="left")
