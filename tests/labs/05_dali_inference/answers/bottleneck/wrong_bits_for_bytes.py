# 1 Gbit/s are 1,000,000,000.
# caught: AssertionError: it does fewer than 2000
def bottleneck(gigabits, bytes_per_picture, stages):
    rates = {"link": gigabits * 1e9 / bytes_per_picture} | stages
    slowest = min(rates, key=rates.get)
    return slowest, rates[slowest]
