# Decoding and classifying.
# caught: KeyError: decode
def bottleneck(gigabits, bytes_per_picture, stages):
    rates = {"link": gigabits * 1e9 / 8 / bytes_per_picture}
    rates |= {"decode": stages["decode"], "classify": stages["classify"]}
    slowest = min(rates, key=rates.get)
    return slowest, rates[slowest]
