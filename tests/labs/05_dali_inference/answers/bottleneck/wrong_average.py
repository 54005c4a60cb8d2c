# On average.
# caught: AssertionError: 125,000,000 bytes a second
def bottleneck(gigabits, bytes_per_picture, stages):
    rates = {"link": gigabits * 1e9 / 8 / bytes_per_picture} | stages
    return min(rates, key=rates.get), sum(rates.values()) / len(rates)
