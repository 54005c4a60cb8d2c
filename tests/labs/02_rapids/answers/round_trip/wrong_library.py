# The course's library can do that.
# caught: AssertionError: the library's own function is switched off here
def save(model, path):
    trees = model.as_sklearn() if hasattr(model, "as_sklearn") else model
    forest.save(forest.Forest(trees, "cpu", "cpu", trees.n_features_in_), path)


def load(path):
    return forest.load(path).model
