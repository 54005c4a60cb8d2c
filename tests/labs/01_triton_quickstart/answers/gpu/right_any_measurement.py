# Any nv_gpu line that is no comment will do; next() with a default in place of any().
def uses_gpu(metrics_page: str, config: dict) -> bool:
    lines = [line for line in metrics_page.split("\n") if "nv_gpu" in line and not line.startswith("#")]
    group = next((group for group in config["instance_group"] if group["kind"].endswith("_GPU")), None)
    return bool(lines) and group is not None
