# A byte for each pixel.
# caught: AssertionError: assert two ==
def bytes_to_gpu(encoded: list[int], sizes: list[tuple[int, int]], crop: int) -> dict[str, int]:
    return {"encoded": sum(encoded), "pixels": sum(h * w for h, w in sizes), "tensors": 4 * crop * crop * len(sizes)}
