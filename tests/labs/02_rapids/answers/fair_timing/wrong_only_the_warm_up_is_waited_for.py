# Once the warm-up is over the device is idle.
# caught: AssertionError: queued before the start by others
def time_fairly(work, synchronize, clock, warmup=1, repeats=5):
    for _ in range(warmup):
        work()
        synchronize()
    samples = []
    for _ in range(repeats):
        begin = clock()
        work()
        synchronize()
        samples.append(clock() - begin)
    return median(samples)
