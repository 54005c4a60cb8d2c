# From the front: for each operator, everything that it leads to.
def must_go(operators, images):
    takers = {}
    for operator in operators:
        for name in operator.inputs:
            takers.setdefault(name, []).append(operator)

    def leads(operator):
        return operator.name == images or any(map(leads, takers.get(operator.name, [])))

    found = set()
    for operator in operators:
        if operator.kind.split(".")[0] == "readers" or operator.random or not leads(operator):
            found.add(operator.name)
    return found
