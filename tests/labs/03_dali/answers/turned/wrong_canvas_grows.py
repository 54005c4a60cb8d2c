# The default of the canvas.
# caught: AssertionError: assert [image.shape for image in images] == [np.asarray(Image.open(nam
def turned(encoded, device: str, degrees: float):

    images = fn.decoders.image(encoded, device="mixed" if device == "gpu" else "cpu", output_type=types.RGB)
    angle = fn.random.uniform(range=[-degrees, degrees])
    return fn.rotate(images, angle=angle, fill_value=0), angle
