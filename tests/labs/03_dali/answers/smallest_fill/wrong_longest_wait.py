# How long the longest waited.
# caught: AssertionError: # the third one came first
def smallest_fill(order: list[int]) -> int:
    return max(came - read for came, read in enumerate(order)) + 1
