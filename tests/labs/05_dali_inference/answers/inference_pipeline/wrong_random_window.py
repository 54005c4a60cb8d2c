# The training pipeline, with the reader swapped.
# caught: AssertionError: not what the validation pipeline makes of these files
def inference_pipeline(batch_size):
    @pipeline_def(batch_size=batch_size, num_threads=2, device_id=device_id, prefetch_queue_depth=1)
    def define():
        encoded = fn.external_source(name="DALI_INPUT", dtype=types.UINT8, ndim=1)
        window = fn.decoders.image_random_crop(encoded, device=decoder, output_type=types.RGB)
        resized = fn.resize(window, size=(224, 224))
        return fn.crop_mirror_normalize(resized, mirror=fn.random.coin_flip(), **scaling)

    return define()
