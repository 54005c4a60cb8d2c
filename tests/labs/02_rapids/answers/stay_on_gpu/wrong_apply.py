# It works, so why change it?
# caught: W251Error: .apply takes one row or value after the other
def arrival_words(flights):
    return flights.apply(arrival_word, axis=1)
