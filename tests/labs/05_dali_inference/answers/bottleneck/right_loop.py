# Begin with the link, and look for a slower one.
def bottleneck(gigabits, bytes_per_picture, stages):
    slowest, rate = "link", 1e9 * gigabits / (8 * bytes_per_picture)
    for stage, can_do in stages.items():
        if can_do < rate:
            slowest, rate = stage, can_do
    return slowest, rate
