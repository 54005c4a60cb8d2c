# NumPy's products.
def bytes_to_gpu(encoded: list[int], sizes: list[tuple[int, int]], crop: int) -> dict[str, int]:

    pixels = int(np.prod(np.asarray(sizes), axis=1).sum()) * 3
    return {"tensors": 12 * crop**2 * len(encoded), "pixels": pixels, "encoded": int(np.sum(encoded))}
