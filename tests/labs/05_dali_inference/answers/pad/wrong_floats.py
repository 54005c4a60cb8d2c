# Zeros are zeros.
# caught: AssertionError: rows.dtype == np.uint8
def pad(contents):
    rows = np.zeros((len(contents), max(map(len, contents))))
    for row, content in zip(rows, contents, strict=True):
        row[: len(content)] = np.frombuffer(content, dtype=np.uint8)
    return rows
