# The names of the ensemble that is there.
# caught: InvalidRequestError: FILE
def describe(name, most):
    return Ensemble(
        name=name,
        inputs=(Tensor("INPUT", (-1,), "UINT8"),),
        outputs=(Tensor("OUTPUT", (1000,)),),
        max_batch_size=most,
        steps=(
            Step("preprocessing", {"DALI_INPUT": "INPUT"}, {"DALI_OUTPUT": "prepared"}),
            Step("efficientnet_lite0", {"images": "prepared"}, {"scores": "OUTPUT"}),
        ),
    )
