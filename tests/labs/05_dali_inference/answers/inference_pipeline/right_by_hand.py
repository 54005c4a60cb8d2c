# Without the decorator, and with the numbers written out.
from nvidia.dali import Pipeline


def inference_pipeline(batch_size):
    pipeline = Pipeline(batch_size, 1, device_id, prefetch_queue_depth=1)
    with pipeline:
        jpegs = fn.external_source(name="DALI_INPUT")
        images = fn.decoders.image(jpegs, device=decoder)
        images = fn.resize(images, resize_shorter=256.0, interp_type=types.INTERP_CUBIC, antialias=True)
        images = fn.crop_mirror_normalize(
            images,
            crop_h=224,
            crop_w=224,
            dtype=types.FLOAT,
            output_layout="CHW",
            mean=127.0,
            std=128.0,
        )
        pipeline.set_outputs(images)
    pipeline.build()
    return pipeline
