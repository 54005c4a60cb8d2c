# The three that are shown.
# caught: AssertionError: the furthest leap is not the first
def smallest_fill(order: list[int]) -> int:
    return {0: 1, 1: 2, 2: 3}[order[0]]
