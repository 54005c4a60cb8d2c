# The call, and then the device is waited for.
# caught: AssertionError: a call takes 0.201 s, and you measured 0.001 s
def time_fairly(work, synchronize, clock, warmup=1, repeats=5):
    for _ in range(warmup):
        work()
    samples = []
    for _ in range(repeats):
        synchronize()
        begin = clock()
        work()
        end = clock()
        synchronize()
        samples.append(end - begin)
    return median(samples)
