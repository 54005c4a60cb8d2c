# A column needs no index.
# caught: AssertionError: the index is not that of the table
def arrival_words(flights):
    flights = flights.reset_index(drop=True)
    late, left_late = flights["arr_delay"].fillna(0) >= 15, flights["dep_delay"].fillna(0) >= 15
    words = flights.assign(word="on time")["word"]
    words = words.mask(late, "lost time in the air").mask(late & left_late, "left late")
    words = words.mask(flights["arr_delay"].isna(), "diverted").mask(flights["dep_delay"].isna(), "cancelled")
    return flights["carrier"] + " " + words
