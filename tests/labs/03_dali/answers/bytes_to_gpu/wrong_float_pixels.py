# Pixels are floats as well.
# caught: AssertionError: assert two ==
def bytes_to_gpu(encoded: list[int], sizes: list[tuple[int, int]], crop: int) -> dict[str, int]:
    return {"encoded": sum(encoded), "pixels": sum(12 * h * w for h, w in sizes), "tensors": 12 * crop * crop * len(sizes)}
