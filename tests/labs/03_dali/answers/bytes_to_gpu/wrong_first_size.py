# All pictures have the size of the first.
# caught: AssertionError: assert two ==
def bytes_to_gpu(encoded: list[int], sizes: list[tuple[int, int]], crop: int) -> dict[str, int]:
    return {"encoded": sum(encoded), "pixels": 3 * sizes[0][0] * sizes[0][1] * len(sizes), "tensors": 12 * crop * crop * len(sizes)}
