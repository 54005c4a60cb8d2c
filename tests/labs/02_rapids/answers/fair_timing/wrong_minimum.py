# The fastest call is the one that nothing disturbed.
# caught: AssertionError: one call that is faster than the others
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
    return min(samples)
