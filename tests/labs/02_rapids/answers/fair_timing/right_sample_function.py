# A function times one call; the first ones are thrown away.
def time_fairly(work, synchronize, clock, warmup=1, repeats=5):
    def sample():
        synchronize()
        begin = clock()
        work()
        synchronize()
        return clock() - begin

    return median([sample() for _ in range(warmup + repeats)][warmup:])
