# The cancelled ones first, as in the function.
# caught: AssertionError: column 'word' differs
def arrival_words(flights):
    words = flights.assign(word="on time")["word"]
    words = words.mask(flights["dep_delay"].isna(), "cancelled")
    words = words.mask(flights["arr_delay"].isna(), "diverted")
    late, left_late = flights["arr_delay"].fillna(0) >= 15, flights["dep_delay"].fillna(0) >= 15
    words = words.mask(late, "lost time in the air").mask(late & left_late, "left late")
    return flights["carrier"] + " " + words
