# The order of the steps does not matter: the wires say what comes first.
def describe(name, most):
    classify = Step("efficientnet_lite0", inputs={"images": "w251"}, outputs={"scores": "CLASSES"})
    decode = Step("preprocessing", inputs=dict(DALI_INPUT="FILE"), outputs=dict(DALI_OUTPUT="w251"))
    return Ensemble(
        name=name,
        inputs=(Tensor("FILE", dims=(-1,), dtype="UINT8"),),
        outputs=(Tensor("CLASSES", dims=(1000,), dtype="FP32"),),
        steps=(classify, decode),
        max_batch_size=most,
    )
