# The first picture tells how many waited.
# caught: AssertionError: the furthest leap is not the first
def smallest_fill(order: list[int]) -> int:
    return order[0] + 1
