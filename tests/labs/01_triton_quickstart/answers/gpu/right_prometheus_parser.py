# The parser drops the comments: a family without samples was not measured.
def uses_gpu(metrics_page: str, config: dict) -> bool:
    sees_gpu = False
    for family in text_string_to_metric_families(metrics_page):
        for sample in family.samples:
            if sample.name == "nv_gpu_memory_total_bytes" and sample.value > 0:
                sees_gpu = True
    on_gpu = False
    for group in config["instance_group"]:
        if group["kind"] == "KIND_GPU":
            on_gpu = True
    return sees_gpu and on_gpu
