# A number is a byte.
# caught: AssertionError: assert two ==
def bytes_to_gpu(encoded: list[int], sizes: list[tuple[int, int]], crop: int) -> dict[str, int]:
    return {"encoded": sum(encoded), "pixels": sum(3 * h * w for h, w in sizes), "tensors": 3 * crop * crop * len(sizes)}
