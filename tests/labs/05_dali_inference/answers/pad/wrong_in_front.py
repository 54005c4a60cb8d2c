# Numbers are written with the zeros in front.
# caught: AssertionError: [[1, 2, 3], [9, 0, 0]]
def pad(contents):
    longest = max(map(len, contents))
    return np.stack([np.frombuffer(content.rjust(longest, bytes(1)), np.uint8) for content in contents])
