# One measurement around all calls, divided by how many they were.
# caught: AssertionError: one outlier
def time_fairly(work, synchronize, clock, warmup=1, repeats=5):
    for _ in range(warmup):
        work()
    synchronize()
    begin = clock()
    for _ in range(repeats):
        work()
        synchronize()
    return (clock() - begin) / repeats
