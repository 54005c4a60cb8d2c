# Angles are radians.
# caught: AssertionError: to both sides, as far as -degrees
def turned(encoded, device: str, degrees: float):

    images = fn.decoders.image(encoded, device="mixed" if device == "gpu" else "cpu", output_type=types.RGB)
    angle = fn.random.uniform(range=[-degrees * np.pi / 180, degrees * np.pi / 180])
    return fn.rotate(images, angle=angle, keep_size=True, fill_value=0), angle
