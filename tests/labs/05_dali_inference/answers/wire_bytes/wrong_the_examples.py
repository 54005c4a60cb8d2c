# As the examples say.
# caught: AssertionError: 190_000
def wire_bytes(lengths, way, batch_size=16):
    return {"single": 450, "padded": 650, "float32": 1_806_336}[way]
