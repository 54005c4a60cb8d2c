# The most that wait to be drawn while a later one was drawn before.
# caught: AssertionError: # two waited
def smallest_fill(order: list[int]) -> int:

    return max(sum(later < read for later in order[came:]) for came, read in enumerate(order)) + (order == sorted(order))
