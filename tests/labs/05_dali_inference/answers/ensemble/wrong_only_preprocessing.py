# The output of the first step is what comes out.
# caught: AssertionError: inconsistent
mine = Ensemble(
    name="mine",
    inputs=(Tensor("FILE", (-1,), "UINT8"),),
    outputs=(Tensor("CLASSES", (1000,)),),
    max_batch_size=16,
    steps=(Step("preprocessing", {"DALI_INPUT": "FILE"}, {"DALI_OUTPUT": "CLASSES"}),),
)
