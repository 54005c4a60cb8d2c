# One call is enough to warm up.
# caught: AssertionError: work was called too often
def time_fairly(work, synchronize, clock, warmup=1, repeats=5):
    work()
    samples = []
    for _ in range(repeats):
        synchronize()
        begin = clock()
        work()
        synchronize()
        samples.append(clock() - begin)
    return median(samples)
