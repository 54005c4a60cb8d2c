# If the server sees a GPU, it uses it.
# caught: AssertionError: a GPU that the model does not run on
def uses_gpu(metrics_page: str, config: dict) -> bool:
    return any(line.startswith("nv_gpu_memory_total_bytes{") for line in metrics_page.splitlines())
