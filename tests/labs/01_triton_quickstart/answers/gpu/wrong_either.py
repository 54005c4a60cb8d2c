# One of the two proofs is enough.
# caught: AssertionError: a GPU that the model does not run on
def uses_gpu(metrics_page: str, config: dict) -> bool:
    sees = any(line.startswith("nv_gpu_memory_total_bytes{") for line in metrics_page.splitlines())
    return sees or any(group["kind"] == "KIND_GPU" for group in config["instance_group"])
