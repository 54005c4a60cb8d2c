# My ensemble is my_ensemble.
# caught: AssertionError: the ensemble is to be called mine
def describe(name, most):
    return Ensemble(
        name="my_ensemble",
        inputs=(Tensor("FILE", (-1,), "UINT8"),),
        outputs=(Tensor("CLASSES", (1000,)),),
        max_batch_size=most,
        steps=(
            Step("preprocessing", {"DALI_INPUT": "FILE"}, {"DALI_OUTPUT": "prepared"}),
            Step("efficientnet_lite0", {"images": "prepared"}, {"scores": "CLASSES"}),
        ),
    )
