# All of them is always enough.
# caught: AssertionError: # as it was read
def smallest_fill(order: list[int]) -> int:
    return len(order)
