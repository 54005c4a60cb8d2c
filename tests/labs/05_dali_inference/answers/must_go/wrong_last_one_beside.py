# The labels go: the operators that give no input to another, and are not the images.
# caught: AssertionError: all that is made of the labels
def must_go(operators, images):
    taken = {name for operator in operators for name in operator.inputs}
    found = {operator.name for operator in operators if operator.random or operator.kind.startswith("readers.")}
    for operator in operators:
        if images not in operator.outputs and taken.isdisjoint(operator.outputs):
            found.add(operator.name)
    return found
