# A number from -1 to 1, times the degrees; the rotation is told where.
def turned(encoded, device: str, degrees: float):

    where = {"cpu": "cpu", "gpu": "mixed"}[device]
    angle = fn.random.uniform(range=[-1, 1]) * degrees
    decoded = fn.decoders.image(encoded, device=where)
    return fn.rotate(decoded, device=device, angle=angle, keep_size=True, fill_value=0.0), angle
