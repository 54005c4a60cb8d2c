# What comes out is DALI_OUTPUT, and what goes in is images.
# caught: AssertionError: the server does not load it
def describe(name, most):
    return Ensemble(
        name=name,
        inputs=(Tensor("FILE", (-1,), "UINT8"),),
        outputs=(Tensor("CLASSES", (1000,)),),
        max_batch_size=most,
        steps=(
            Step("preprocessing", {"DALI_INPUT": "FILE"}, {"DALI_OUTPUT": "DALI_OUTPUT"}),
            Step("efficientnet_lite0", {"images": "images"}, {"scores": "CLASSES"}),
        ),
    )
