# The profile knows it already.
# caught: AssertionError: only Series.apply ran on the CPU
def fell_back(steps):
    return list(profile.fell_back), profile.cpu_share
