# The longest first.
# caught: AssertionError: each picture in its own row
def pad(contents):
    ordered = sorted(contents, key=len, reverse=True)
    return np.stack([np.frombuffer(content.ljust(len(ordered[0]), bytes(1)), np.uint8) for content in ordered])
