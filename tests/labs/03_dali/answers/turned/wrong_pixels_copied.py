# Decode, then take it to the GPU.
# caught: AssertionError: asked for gpu, but pixels are made on the cpu
def turned(encoded, device: str, degrees: float):

    images = fn.decoders.image(encoded, output_type=types.RGB)
    if device == "gpu":
        images = images.gpu()
    angle = fn.random.uniform(range=[-degrees, degrees])
    return fn.rotate(images, angle=angle, keep_size=True, fill_value=0), angle
