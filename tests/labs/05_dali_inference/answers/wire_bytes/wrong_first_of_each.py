# As long as the first of the batch.
# caught: AssertionError: two rows of 300
def wire_bytes(lengths, way, batch_size=16):
    if way == "single":
        return sum(lengths)
    if way == "padded":
        batches = [lengths[start : start + batch_size] for start in range(0, len(lengths), batch_size)]
        return sum(len(batch) * batch[0] for batch in batches)
    return len(lengths) * 3 * 224 * 224 * {"float32": 4, "uint8": 1}[way]
