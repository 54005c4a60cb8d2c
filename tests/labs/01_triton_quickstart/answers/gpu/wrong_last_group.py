# I loop over the groups and keep the kind.
# caught: AssertionError: one group on the CPU, another on the GPU
def uses_gpu(metrics_page: str, config: dict) -> bool:
    sees = any(line.startswith("nv_gpu_memory_total_bytes{") for line in metrics_page.splitlines())
    on_gpu = False
    for group in config["instance_group"]:
        on_gpu = group["kind"] == "KIND_GPU"
    return sees and on_gpu
