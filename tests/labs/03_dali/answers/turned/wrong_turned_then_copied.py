# Only the result goes to the GPU.
# caught: AssertionError: asked for gpu, but pixels are made on the cpu
def turned(encoded, device: str, degrees: float):

    images = fn.decoders.image(encoded, output_type=types.RGB)
    angle = fn.random.uniform(range=[-degrees, degrees])
    images = fn.rotate(images, angle=angle, keep_size=True, fill_value=0)
    return (images.gpu() if device == "gpu" else images), angle
