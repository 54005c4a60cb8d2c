# The library knows.
# caught: AssertionError: the library's own function is switched off here
def must_go(operators, images):
    if "target" in {operator.name for operator in operators}:
        serving.problems(training_pipeline())
        return {"reader", "window", "coin", "target"}
    return {problem.name for problem in serving.problems(validation_pipeline(files))}
