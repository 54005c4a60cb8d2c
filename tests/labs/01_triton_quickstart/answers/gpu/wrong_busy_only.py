# A GPU that is used is busy, so its utilization is above 0.
# caught: AssertionError: an idle GPU is a GPU
def uses_gpu(metrics_page: str, config: dict) -> bool:
    busy = False
    for line in metrics_page.splitlines():
        if line.startswith("nv_gpu_utilization") and float(line.split()[-1]) > 0:
            busy = True
    return busy and any(group["kind"] == "KIND_GPU" for group in config["instance_group"])
