# The word.
# caught: AssertionError: column 'word' differs
def arrival_words(flights):
    late, left_late = flights["arr_delay"].fillna(0) >= 15, flights["dep_delay"].fillna(0) >= 15
    words = flights.assign(word="on time")["word"]
    words = words.mask(late, "lost time in the air").mask(late & left_late, "left late")
    return words.mask(flights["arr_delay"].isna(), "diverted").mask(flights["dep_delay"].isna(), "cancelled")
