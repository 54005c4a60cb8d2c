# From the front: for each operator, everything that it leads to.
def must_go(operators, images):
    consumers = {}
    for operator in operators:
        for tensor in operator.inputs:
            consumers.setdefault(tensor, []).append(operator)

    def leads(operator):
        return images in operator.outputs or any(
            leads(later) for tensor in operator.outputs for later in consumers.get(tensor, [])
        )

    found = set()
    for operator in operators:
        if operator.kind.split(".")[0] == "readers" or operator.random or not leads(operator):
            found.add(operator.name)
    return found
