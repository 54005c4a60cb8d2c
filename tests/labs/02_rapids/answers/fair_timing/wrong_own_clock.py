# I trust the clock of Python.
# caught: AssertionError: and you measured 0.000 s
def time_fairly(work, synchronize, clock, warmup=1, repeats=5):
    for _ in range(warmup):
        work()
    samples = []
    for _ in range(repeats):
        synchronize()
        begin = time.perf_counter()
        work()
        synchronize()
        samples.append(time.perf_counter() - begin)
    return median(samples)
