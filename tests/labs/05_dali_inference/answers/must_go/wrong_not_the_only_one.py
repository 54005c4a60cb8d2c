# What gives the images themselves cannot go: there would be no images.
# caught: AssertionError: the only random one gives the images itself
def must_go(operators, images):
    needed, found = {images}, set()
    for operator in reversed(operators):
        leads = not needed.isdisjoint(operator.outputs)
        if leads:
            needed.update(operator.inputs)
        bad = operator.random or operator.kind.startswith("readers.")
        if not leads or (bad and images not in operator.outputs):
            found.add(operator.name)
    return found
