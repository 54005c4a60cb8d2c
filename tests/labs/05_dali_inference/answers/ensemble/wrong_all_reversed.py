# The ensemble's name first, then the model's.
# caught: AssertionError: the server does not load it
mine = Ensemble(
    name="mine",
    inputs=(Tensor("FILE", (-1,), "UINT8"),),
    outputs=(Tensor("CLASSES", (1000,)),),
    max_batch_size=16,
    steps=(
        Step("preprocessing", {"FILE": "DALI_INPUT"}, {"prepared": "DALI_OUTPUT"}),
        Step("efficientnet_lite0", {"prepared": "images"}, {"CLASSES": "scores"}),
    ),
)
