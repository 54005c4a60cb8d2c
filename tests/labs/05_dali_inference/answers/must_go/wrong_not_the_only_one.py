# What gives the images themselves cannot go: there would be no images.
# caught: AssertionError: the only random one gives the images itself
def must_go(operators, images):
    needed, found = {images}, set()
    for operator in reversed(operators):
        leads = operator.name in needed
        if leads:
            needed.update(operator.inputs)
        bad = operator.random or operator.kind.startswith("readers.")
        if not leads or (bad and operator.name != images):
            found.add(operator.name)
    return found
