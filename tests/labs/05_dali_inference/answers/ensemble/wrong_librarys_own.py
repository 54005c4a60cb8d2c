# The library describes one, and I give its tensors other names.
# caught: AssertionError: the library's own function is switched off here
def describe(name, most):
    from dataclasses import replace

    first = serving.preprocessing(models / "preprocessing" / "1" / "dali.py")
    given = serving.ensemble(first, serving.classifier())
    (taken,), (scores, *_) = given.inputs, given.outputs
    decode, classify = given.steps
    return replace(
        given,
        name=name,
        inputs=(replace(taken, name="FILE"),),
        outputs=(replace(scores, name="CLASSES"),),
        max_batch_size=most,
        steps=(
            replace(decode, inputs={"DALI_INPUT": "FILE"}, outputs={"DALI_OUTPUT": "pixels"}),
            replace(classify, outputs={"scores": "CLASSES"}),
        ),
    )
