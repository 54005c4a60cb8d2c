# The decoder's device is gpu.
# caught: RuntimeError: is stored on incompatible device
def turned(encoded, device: str, degrees: float):

    images = fn.decoders.image(encoded, device=device, output_type=types.RGB)
    angle = fn.random.uniform(range=[-degrees, degrees])
    return fn.rotate(images, angle=angle, keep_size=True, fill_value=0), angle
