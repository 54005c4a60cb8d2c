# The configuration says where the model runs.
# caught: AssertionError: lines that explain a metric are no GPU
def uses_gpu(metrics_page: str, config: dict) -> bool:
    return any(group["kind"] == "KIND_GPU" for group in config["instance_group"])
