# One airline after the other.
# caught: W251Error: a loop takes one value after the other
def late_by_airline(flights, airlines, minutes=15):
    arrived = flights.dropna(subset=["arr_delay"])
    rows = []
    for carrier in arrived["carrier"].unique():
        delays = arrived[arrived["carrier"] == carrier]["arr_delay"]
        name = list(airlines[airlines["carrier"] == carrier]["name"])
        late = float((delays >= minutes).mean())
        rows.append({"carrier": carrier, "name": name[0] if name else None, "flights": len(delays), "late": late})
    return pd.DataFrame(rows)
