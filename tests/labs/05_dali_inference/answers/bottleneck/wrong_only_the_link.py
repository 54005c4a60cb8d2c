# The wire is the bottleneck.
# caught: AssertionError: the link could do 20,833
def bottleneck(gigabits, bytes_per_picture, stages):
    return "link", gigabits * 1e9 / 8 / bytes_per_picture
