# The model uses the GPU when all its groups do.
# caught: AssertionError: one group on the CPU, another on the GPU
def uses_gpu(metrics_page: str, config: dict) -> bool:
    sees = any(line.startswith("nv_gpu_memory_total_bytes{") for line in metrics_page.splitlines())
    return sees and all(group["kind"] == "KIND_GPU" for group in config["instance_group"])
