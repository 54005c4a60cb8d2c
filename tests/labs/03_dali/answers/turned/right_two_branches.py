# A branch for each device.
def turned(encoded, device: str, degrees: float):

    angle = fn.random.uniform(range=(-float(degrees), float(degrees)))
    if device == "cpu":
        images = fn.decoders.image(encoded, device="cpu", output_type=types.RGB)
    else:
        images = fn.decoders.image(encoded, device="mixed", output_type=types.RGB)
    return fn.rotate(images, angle=angle, fill_value=0, keep_size=True), angle
