# Random is what must go; DALI even says that the reader is random.
# caught: AssertionError: set(must_go(operators, "images"))
def must_go(operators, images):
    return {operator.name for operator in operators if operator.random}
