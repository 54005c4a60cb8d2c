# Picture by picture.
def bytes_to_gpu(encoded: list[int], sizes: list[tuple[int, int]], crop: int) -> dict[str, int]:

    total = {"encoded": 0, "pixels": 0, "tensors": 0}
    for file, (height, width) in zip(encoded, sizes, strict=True):
        total["encoded"] += file
        total["pixels"] += height * width * 3
        total["tensors"] += np.zeros((3, crop, crop), np.float32).nbytes
    return total
