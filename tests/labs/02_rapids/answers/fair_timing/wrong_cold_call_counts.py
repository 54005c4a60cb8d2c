# The calls of the warm-up are measured, too: the more the better.
# caught: AssertionError: queued before the start by the warm-up
def time_fairly(work, synchronize, clock, warmup=1, repeats=5):
    samples = []
    for _ in range(warmup + repeats):
        synchronize()
        begin = clock()
        work()
        synchronize()
        samples.append(clock() - begin)
    return median(samples)
