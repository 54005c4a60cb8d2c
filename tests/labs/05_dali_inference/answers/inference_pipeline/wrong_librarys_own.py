# The library serves such a pipeline already; but it cuts as torchvision does, a pixel here and there.
# caught: AssertionError: not what the validation pipeline makes of these files
def inference_pipeline(batch_size):
    return serving.pipeline(device="auto" if device_id == 0 else "cpu", batch_size=batch_size)
