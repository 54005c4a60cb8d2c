# A picture is 602,112 bytes on the wire.
# caught: AssertionError: 125,000,000 bytes a second
def bottleneck(gigabits, bytes_per_picture, stages):
    rates = {"link": gigabits * 1e9 / 8 / 602_112} | stages
    slowest = min(rates, key=rates.get)
    return slowest, rates[slowest]
