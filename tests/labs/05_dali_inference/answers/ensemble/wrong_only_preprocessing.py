# The output of the first step is what comes out.
# caught: AssertionError: inconsistent
def describe(name, most):
    return Ensemble(
        name=name,
        inputs=(Tensor("FILE", (-1,), "UINT8"),),
        outputs=(Tensor("CLASSES", (1000,)),),
        max_batch_size=most,
        steps=(Step("preprocessing", {"DALI_INPUT": "FILE"}, {"DALI_OUTPUT": "CLASSES"}),),
    )
