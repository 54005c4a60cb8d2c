# The corners as they come.
# caught: AssertionError: RGB, turned by the angles that are returned, with black corners
def turned(encoded, device: str, degrees: float):

    images = fn.decoders.image(encoded, device="mixed" if device == "gpu" else "cpu", output_type=types.RGB)
    angle = fn.random.uniform(range=[-degrees, degrees])
    return fn.rotate(images, angle=angle, keep_size=True), angle
