# Bytes can fill themselves up.
def pad(contents):
    longest = max(len(content) for content in contents)
    joined = b"".join(content.ljust(longest, bytes(1)) for content in contents)
    return np.frombuffer(joined, dtype=np.uint8).reshape(len(contents), longest)
