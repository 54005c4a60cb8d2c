# The clock is stopped when the device has done its work; what came before is over anyway.
# caught: AssertionError: queued before the start by the warm-up
def time_fairly(work, synchronize, clock, warmup=1, repeats=5):
    for _ in range(warmup):
        work()
    samples = []
    for _ in range(repeats):
        begin = clock()
        work()
        synchronize()
        samples.append(clock() - begin)
    return median(samples)
