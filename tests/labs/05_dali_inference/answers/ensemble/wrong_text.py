# A file is a text of bytes.
# caught: AssertionError: inconsistent
mine = Ensemble(
    name="mine",
    inputs=(Tensor("FILE", (-1,), "BYTES"),),
    outputs=(Tensor("CLASSES", (1000,)),),
    max_batch_size=16,
    steps=(
        Step("preprocessing", {"DALI_INPUT": "FILE"}, {"DALI_OUTPUT": "prepared"}),
        Step("efficientnet_lite0", {"images": "prepared"}, {"scores": "CLASSES"}),
    ),
)
