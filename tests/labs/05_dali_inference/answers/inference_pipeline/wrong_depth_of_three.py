# More prefetching is faster.
# caught: AssertionError: a request after the first got no answer
def inference_pipeline(batch_size):
    @pipeline_def(batch_size=batch_size, num_threads=2, device_id=device_id, prefetch_queue_depth=3)
    def define():
        encoded = fn.external_source(name="DALI_INPUT", dtype=types.UINT8, ndim=1)
        decoded = fn.decoders.image(encoded, device=decoder, output_type=types.RGB)
        resized = fn.resize(decoded, resize_shorter=256, interp_type=types.INTERP_CUBIC)
        return fn.crop_mirror_normalize(resized, crop=(224, 224), **scaling)

    return define()
