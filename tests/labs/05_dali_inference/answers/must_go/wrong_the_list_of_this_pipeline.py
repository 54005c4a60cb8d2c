# These four, as the table shows.
# caught: AssertionError: nothing is wrong
def must_go(operators, images):
    return {"reader", "window", "coin", "target"}
