# The validation pipeline has everything that is needed.
# caught: KeyError: Could not find an input operator
def inference_pipeline(batch_size):
    return validation_pipeline(files[:4], batch_size=batch_size, prefetch_queue_depth=1)
