# A new column, filled step by step.
# caught: AssertionError: the given table was changed
def arrival_words(flights):
    flights["word"] = "on time"
    late, left_late = flights["arr_delay"].fillna(0) >= 15, flights["dep_delay"].fillna(0) >= 15
    flights.loc[late, "word"] = "lost time in the air"
    flights.loc[late & left_late, "word"] = "left late"
    flights.loc[flights["arr_delay"].isna(), "word"] = "diverted"
    flights.loc[flights["dep_delay"].isna(), "word"] = "cancelled"
    return flights["carrier"] + " " + flights["word"]
