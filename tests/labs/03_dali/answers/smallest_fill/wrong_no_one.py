# How far ahead the furthest one came.
# caught: AssertionError: # as it was read
def smallest_fill(order: list[int]) -> int:
    return max(read - came for came, read in enumerate(order))
