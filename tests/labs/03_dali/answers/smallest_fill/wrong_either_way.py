# How far a picture is from its place, to either side.
# caught: AssertionError: the one that waits for long needs no larger fill
def smallest_fill(order: list[int]) -> int:
    return max(abs(read - came) for came, read in enumerate(order)) + 1
