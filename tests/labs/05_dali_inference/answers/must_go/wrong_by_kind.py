# I know the names of the random operators.
# caught: AssertionError: noise, an angle and an output beside
def must_go(operators, images):
    needed, found = {images}, set()
    for operator in reversed(operators):
        if needed.isdisjoint(operator.outputs):
            found.add(operator.name)
        else:
            needed.update(operator.inputs)
        if operator.kind.startswith(("readers.", "random.")) or operator.kind.endswith("_random_crop"):
            found.add(operator.name)
    return found
