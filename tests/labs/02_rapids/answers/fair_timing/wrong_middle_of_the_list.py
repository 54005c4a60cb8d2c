# The median is the value in the middle.
# caught: AssertionError: an even number of repeats
def time_fairly(work, synchronize, clock, warmup=1, repeats=5):
    for _ in range(warmup):
        work()
    samples = []
    for _ in range(repeats):
        synchronize()
        begin = clock()
        work()
        synchronize()
        samples.append(clock() - begin)
    return sorted(samples)[len(samples) // 2]
