# The names of the ensemble that is there.
# caught: InvalidRequestError: FILE
mine = Ensemble(
    name="mine",
    inputs=(Tensor("INPUT", (-1,), "UINT8"),),
    outputs=(Tensor("OUTPUT", (1000,)),),
    max_batch_size=16,
    steps=(
        Step("preprocessing", {"DALI_INPUT": "INPUT"}, {"DALI_OUTPUT": "prepared"}),
        Step("efficientnet_lite0", {"images": "prepared"}, {"scores": "OUTPUT"}),
    ),
)
