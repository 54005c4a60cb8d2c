# With a seed of its own.
def turned(encoded, device: str, degrees: float):

    placed = "mixed" if device != "cpu" else "cpu"
    angle = fn.random.uniform(range=[0, 2 * degrees], seed=42) - degrees
    turned_ones = fn.rotate(fn.decoders.image(encoded, device=placed), angle=angle, keep_size=True, fill_value=0)
    return turned_ones, angle
