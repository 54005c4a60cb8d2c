# A number for each case, and then the word that belongs to it.
def arrival_words(flights):
    late = (flights["arr_delay"].fillna(0) >= 15).astype("int8")
    left_late = (flights["dep_delay"].fillna(0) >= 15).astype("int8")
    case = late + late * left_late
    case = case.where(flights["arr_delay"].notna(), 3)
    case = case.where(flights["dep_delay"].notna(), 4)
    words = {0: "on time", 1: "lost time in the air", 2: "left late", 3: "diverted", 4: "cancelled"}
    return flights["carrier"] + " " + case.map(words)
