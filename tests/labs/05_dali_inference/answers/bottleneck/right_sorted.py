# Sorted by speed, the first counts.
def bottleneck(gigabits, bytes_per_picture, stages):
    link = gigabits * 125_000_000 / bytes_per_picture
    rate, name = sorted((rate, name) for name, rate in [("link", link), *stages.items()])[0]
    return name, rate
