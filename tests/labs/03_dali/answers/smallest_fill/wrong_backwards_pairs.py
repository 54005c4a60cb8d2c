# The largest step between two that follow on one another.
# caught: AssertionError: # two waited
def smallest_fill(order: list[int]) -> int:
    return max([1, *(later - earlier for earlier, later in zip(order, order[1:], strict=False))])
