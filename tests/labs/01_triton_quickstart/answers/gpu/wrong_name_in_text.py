# If the page says nv_gpu, there is a GPU.
# caught: AssertionError: lines that explain a metric are no GPU
def uses_gpu(metrics_page: str, config: dict) -> bool:
    on_gpu = any(group["kind"] == "KIND_GPU" for group in config["instance_group"])
    return "nv_gpu_memory_total_bytes" in metrics_page and on_gpu
