# The wire has the name that the classifier gives it, and the version is said.
def describe(name, most):
    one = Step("preprocessing", {"DALI_INPUT": "FILE"}, {"DALI_OUTPUT": "images"}, 1)
    two = Step("efficientnet_lite0", {"images": "images"}, {"scores": "CLASSES"}, 1)
    return Ensemble(
        name=name,
        inputs=(Tensor("FILE", (-1,), "UINT8"),),
        outputs=(Tensor("CLASSES", (1000,)),),
        max_batch_size=most,
        steps=(one, two),
    )
