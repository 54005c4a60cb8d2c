# Each picture is asked for alone.
# caught: AssertionError: batches of up to 16
def describe(name, most):
    return Ensemble(
        name=name,
        inputs=(Tensor("FILE", (-1,), "UINT8"),),
        outputs=(Tensor("CLASSES", (1000,)),),
        max_batch_size=1,
        steps=(
            Step("preprocessing", {"DALI_INPUT": "FILE"}, {"DALI_OUTPUT": "prepared"}),
            Step("efficientnet_lite0", {"images": "prepared"}, {"scores": "CLASSES"}),
        ),
    )
