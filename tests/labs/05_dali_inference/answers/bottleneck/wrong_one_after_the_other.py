# A picture goes through one stage after the other: the times add up.
# caught: AssertionError: 125,000,000 bytes a second
def bottleneck(gigabits, bytes_per_picture, stages):
    rates = {"link": gigabits * 1e9 / 8 / bytes_per_picture} | stages
    slowest = min(rates, key=rates.get)
    return slowest, 1 / sum(1 / rate for rate in rates.values())
