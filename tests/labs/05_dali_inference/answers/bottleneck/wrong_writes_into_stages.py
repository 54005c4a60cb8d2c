# I enter the link with the other stages.
# caught: AssertionError: the dictionary itself was changed
def bottleneck(gigabits, bytes_per_picture, stages):
    stages["link"] = gigabits * 1e9 / 8 / bytes_per_picture
    slowest = min(stages, key=stages.get)
    return slowest, stages[slowest]
