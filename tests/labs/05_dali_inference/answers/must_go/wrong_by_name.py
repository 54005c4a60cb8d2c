# What is called a reader, or says that it is random.
# caught: AssertionError: nothing is wrong
def must_go(operators, images):
    return {
        one.name
        for one in operators
        if one.name in ("reader", "window", "coin", "target") or "random" in one.name or "random" in one.kind
    }
