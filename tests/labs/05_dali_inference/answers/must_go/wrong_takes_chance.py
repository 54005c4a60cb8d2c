# What takes a random number is random itself.
# caught: AssertionError: set(must_go(operators, "images"))
def must_go(operators, images):
    needed, found, tainted = {images}, set(), set()
    for operator in operators:
        if operator.random and not operator.kind.startswith("readers.") or not tainted.isdisjoint(operator.inputs):
            tainted.update(operator.outputs)
            found.add(operator.name)
    for operator in reversed(operators):
        if needed.isdisjoint(operator.outputs) or operator.kind.startswith("readers."):
            found.add(operator.name)
        else:
            needed.update(operator.inputs)
    return found
