# The matching lines and groups; an empty list means no.
# caught: AssertionError: own["metrics"]
def uses_gpu(metrics_page: str, config: dict) -> bool:
    lines = [line for line in metrics_page.splitlines() if line.startswith("nv_gpu_memory_total_bytes{")]
    return lines and [group for group in config["instance_group"] if group["kind"] == "KIND_GPU"]
