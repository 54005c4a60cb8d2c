# The example says 16.
# caught: AssertionError: batches of up to 12
def describe(name, most):
    return Ensemble(
        name=name,
        inputs=(Tensor("FILE", (-1,), "UINT8"),),
        outputs=(Tensor("CLASSES", (1000,)),),
        max_batch_size=16,
        steps=(
            Step("preprocessing", {"DALI_INPUT": "FILE"}, {"DALI_OUTPUT": "prepared"}),
            Step("efficientnet_lite0", {"images": "prepared"}, {"scores": "CLASSES"}),
        ),
    )
