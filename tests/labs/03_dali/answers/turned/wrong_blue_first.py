# As OpenCV has them.
# caught: AssertionError: RGB, turned by the angles that are returned
def turned(encoded, device: str, degrees: float):

    images = fn.decoders.image(encoded, device="mixed" if device == "gpu" else "cpu", output_type=types.BGR)
    angle = fn.random.uniform(range=[-degrees, degrees])
    return fn.rotate(images, angle=angle, keep_size=True, fill_value=0), angle
