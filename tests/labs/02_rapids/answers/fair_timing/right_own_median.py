# The median by hand.
def time_fairly(work, synchronize, clock, warmup=1, repeats=5):
    for _ in range(warmup):
        work()
        synchronize()
    times = []
    while len(times) < repeats:
        synchronize()
        begin = clock()
        work()
        synchronize()
        times.append(clock() - begin)
    times.sort()
    return (times[(repeats - 1) // 2] + times[repeats // 2]) / 2
