# map is another word for it.
# caught: W251Error: .map with a Python function
def arrival_words(flights):
    words = flights["arr_delay"].map(lambda delay: "on time" if delay < 15 else "left late")
    words = words.mask(flights["arr_delay"].isna(), "diverted").mask(flights["dep_delay"].isna(), "cancelled")
    words = words.mask((flights["arr_delay"] >= 15) & (flights["dep_delay"] < 15), "lost time in the air")
    return flights["carrier"] + " " + words
