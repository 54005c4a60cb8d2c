# Draw the angle again to return it.
# caught: AssertionError: RGB, turned by the angles that are returned
def turned(encoded, device: str, degrees: float):

    images = fn.decoders.image(encoded, device="mixed" if device == "gpu" else "cpu", output_type=types.RGB)
    images = fn.rotate(images, angle=fn.random.uniform(range=[-degrees, degrees]), keep_size=True, fill_value=0)
    return images, fn.random.uniform(range=[-degrees, degrees])
