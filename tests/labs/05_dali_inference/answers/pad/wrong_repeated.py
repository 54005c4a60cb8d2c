# The decoder stops at the end of the picture, so I repeat it.
# caught: AssertionError: [[1, 2, 3], [9, 0, 0]]
def pad(contents):
    longest = max(map(len, contents))
    return np.stack([np.resize(np.frombuffer(content, np.uint8), longest) for content in contents])
