# With arrays, the last batch filled up with files of no length.
def wire_bytes(lengths, way, batch_size=16):
    if way in ("float32", "uint8"):
        return len(lengths) * 150528 * np.dtype(way).itemsize
    sizes = np.asarray(lengths, dtype=np.int64)
    if way == "single":
        return int(sizes.sum())
    starts = range(0, len(sizes), batch_size)
    batches = [sizes[start : start + batch_size] for start in starts]
    return int(sum(batch.size * batch.max() for batch in batches))
