# The device does not matter.
# caught: AssertionError: asked for gpu, the images lie on the cpu
def turned(encoded, device: str, degrees: float):

    images = fn.decoders.image(encoded, output_type=types.RGB)
    angle = fn.random.uniform(range=[-degrees, degrees])
    return fn.rotate(images, angle=angle, keep_size=True, fill_value=0), angle
