# What is not late is on time.
# caught: AssertionError: column 'word' differs
def arrival_words(flights):
    words = flights.assign(word="on time")["word"]
    late, left_late = flights["arr_delay"].fillna(0) >= 15, flights["dep_delay"].fillna(0) >= 15
    words = words.mask(late, "lost time in the air").mask(late & left_late, "left late")
    return flights["carrier"] + " " + words
