# The call in the middle.
# caught: AssertionError: one outlier
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
    return samples[len(samples) // 2]
