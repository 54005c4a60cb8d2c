# Every call counts.
# caught: AssertionError: work was called too seldom
def time_fairly(work, synchronize, clock, warmup=1, repeats=5):
    samples = []
    for _ in range(repeats):
        synchronize()
        begin = clock()
        work()
        synchronize()
        samples.append(clock() - begin)
    return median(samples)
