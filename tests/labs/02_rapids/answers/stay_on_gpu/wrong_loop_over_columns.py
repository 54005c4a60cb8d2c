# No apply, but a list of the words.
# caught: W251Error: a loop takes one value after the other
def arrival_words(flights):
    words = []
    for carrier, left, arrived in zip(flights["carrier"], flights["dep_delay"], flights["arr_delay"]):
        if left != left:
            word = "cancelled"
        elif arrived != arrived:
            word = "diverted"
        elif arrived < 15:
            word = "on time"
        else:
            word = "left late" if left >= 15 else "lost time in the air"
        words.append(f"{carrier} {word}")
    return flights.assign(word=words)["word"]
