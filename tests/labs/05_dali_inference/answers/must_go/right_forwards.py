# From the front: for each operator, everything that it leads to.
def must_go(operators, images):
    takers = {}
    for operator in operators:
        for tensor in operator.inputs:
            takers.setdefault(tensor, []).append(operator)

    def leads(operator):
        later = [taker for tensor in operator.outputs for taker in takers.get(tensor, [])]
        return images in operator.outputs or any(map(leads, later))

    found = set()
    for operator in operators:
        if operator.kind.split(".")[0] == "readers" or operator.random or not leads(operator):
            found.add(operator.name)
    return found
