# The same files, the same bytes.
# caught: AssertionError: two rows of 300
def wire_bytes(lengths, way, batch_size=16):
    if way == "single":
        return sum(lengths)
    if way == "padded":
        return sum(lengths)
    return len(lengths) * 3 * 224 * 224 * {"float32": 4, "uint8": 1}[way]
