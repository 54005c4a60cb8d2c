# The best stage makes the speed.
# caught: AssertionError: it does fewer than 2000
def bottleneck(gigabits, bytes_per_picture, stages):
    rates = {"link": gigabits * 1e9 / 8 / bytes_per_picture} | stages
    best = max(rates, key=rates.get)
    return best, rates[best]
