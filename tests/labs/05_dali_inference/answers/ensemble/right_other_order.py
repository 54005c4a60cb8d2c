# The order of the steps does not matter: the wires say what comes first.
classify = Step("efficientnet_lite0", inputs={"images": "w251"}, outputs={"scores": "CLASSES"})
decode = Step("preprocessing", inputs=dict(DALI_INPUT="FILE"), outputs=dict(DALI_OUTPUT="w251"))
mine = Ensemble(
    name="mine",
    inputs=(Tensor("FILE", dims=(-1,), dtype="UINT8"),),
    outputs=(Tensor("CLASSES", dims=(1000,), dtype="FP32"),),
    steps=(classify, decode),
    max_batch_size=4**2,
)
