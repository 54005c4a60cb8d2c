# The ensemble's name first, then the model's.
# caught: AssertionError: the server does not load it
def describe(name, most):
    return Ensemble(
        name=name,
        inputs=(Tensor("FILE", (-1,), "UINT8"),),
        outputs=(Tensor("CLASSES", (1000,)),),
        max_batch_size=most,
        steps=(
            Step("preprocessing", {"FILE": "DALI_INPUT"}, {"prepared": "DALI_OUTPUT"}),
            Step("efficientnet_lite0", {"prepared": "images"}, {"CLASSES": "scores"}),
        ),
    )
