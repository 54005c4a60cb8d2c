# First I take off what is padded already.
# caught: AssertionError: which ends with zeros itself
def pad(contents):
    bare = [content.rstrip(bytes(1)) for content in contents]
    longest = max(map(len, bare))
    return np.stack([np.frombuffer(content.ljust(longest, bytes(1)), np.uint8) for content in bare])
