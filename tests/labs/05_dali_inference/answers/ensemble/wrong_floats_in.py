# A picture is 3 x 224 x 224.
# caught: AssertionError: inconsistent
def describe(name, most):
    return Ensemble(
        name=name,
        inputs=(Tensor("FILE", (3, 224, 224), "FP32"),),
        outputs=(Tensor("CLASSES", (1000,)),),
        max_batch_size=most,
        steps=(
            Step("preprocessing", {"DALI_INPUT": "FILE"}, {"DALI_OUTPUT": "prepared"}),
            Step("efficientnet_lite0", {"images": "prepared"}, {"scores": "CLASSES"}),
        ),
    )
