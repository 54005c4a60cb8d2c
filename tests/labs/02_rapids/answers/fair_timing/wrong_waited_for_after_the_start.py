# The clock starts, then the device is made idle.
# caught: AssertionError: queued before the start by the warm-up
def time_fairly(work, synchronize, clock, warmup=1, repeats=5):
    for _ in range(warmup):
        work()
    samples = []
    for _ in range(repeats):
        begin = clock()
        synchronize()
        work()
        synchronize()
        samples.append(clock() - begin)
    return median(samples)
