# One random number of Python's, drawn while the graph is defined.
# caught: AssertionError: each picture has an angle of its own
def turned(encoded, device: str, degrees: float):

    images = fn.decoders.image(encoded, device="mixed" if device == "gpu" else "cpu", output_type=types.RGB)
    angle = types.Constant(float(np.random.default_rng(1).uniform(-degrees, degrees)), dtype=types.FLOAT)
    return fn.rotate(images, angle=angle, keep_size=True, fill_value=0), fn.random.uniform(range=[0, 1]) * 0 + angle
