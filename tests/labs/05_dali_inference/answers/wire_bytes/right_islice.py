# A batch after the other out of an iterator.
def wire_bytes(lengths, way, batch_size=16):
    total, left = 0, iter(lengths)
    if way == "single":
        batch_size = 1
    elif way != "padded":
        return 3 * 224**2 * (4 if way == "float32" else 1) * len(lengths)
    while batch := list(islice(left, batch_size)):
        total += max(batch) * len(batch)
    return total
