# A copy, filled step by step.
def arrival_words(flights):
    table = flights[["carrier", "dep_delay", "arr_delay"]].copy()
    table["word"] = "on time"
    late = table["arr_delay"].fillna(-1) >= 15
    table.loc[late, "word"] = "left late"
    table.loc[late & (table["dep_delay"].fillna(-1) < 15), "word"] = "lost time in the air"
    table.loc[table["arr_delay"].isna(), "word"] = "diverted"
    table.loc[table["dep_delay"].isna(), "word"] = "cancelled"
    return table["carrier"] + " " + table["word"]
