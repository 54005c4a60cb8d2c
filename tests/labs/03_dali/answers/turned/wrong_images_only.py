# The images are the result.
# caught: TypeError: 
def turned(encoded, device: str, degrees: float):

    images = fn.decoders.image(encoded, device="mixed" if device == "gpu" else "cpu", output_type=types.RGB)
    return fn.rotate(images, angle=fn.random.uniform(range=[-degrees, degrees]), keep_size=True, fill_value=0)
