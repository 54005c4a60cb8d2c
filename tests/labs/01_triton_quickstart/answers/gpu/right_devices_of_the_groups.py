# Both the kind of a group and the GPUs that it names.
def uses_gpu(metrics_page, config):
    gpus = [line for line in metrics_page.splitlines() if line.startswith("nv_gpu_memory_total_bytes{")]
    groups = [group for group in config["instance_group"] if group["kind"] == "KIND_GPU" and group["gpus"]]
    return bool(gpus) and bool(groups)
