# A share is a sum of ones over a count.
def late_by_airline(flights, airlines, minutes=15):
    delays = flights[["carrier", "arr_delay"]].dropna()
    delays["flights"] = 1
    delays["late"] = (delays["arr_delay"] >= minutes).astype("int64")
    sums = delays.groupby("carrier")[["flights", "late"]].sum()
    sums["late"] = sums["late"] / sums["flights"]
    return sums.reset_index().merge(airlines[["carrier", "name"]], how="left", on="carrier")
