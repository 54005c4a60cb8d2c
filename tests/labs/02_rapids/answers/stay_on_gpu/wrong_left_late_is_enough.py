# Who leaves late is late.
# caught: AssertionError: column 'word' differs
def arrival_words(flights):
    words = flights.assign(word="on time")["word"]
    words = words.mask(flights["arr_delay"].fillna(0) >= 15, "lost time in the air")
    words = words.mask(flights["dep_delay"].fillna(0) >= 15, "left late")
    words = words.mask(flights["arr_delay"].isna(), "diverted").mask(flights["dep_delay"].isna(), "cancelled")
    return flights["carrier"] + " " + words
