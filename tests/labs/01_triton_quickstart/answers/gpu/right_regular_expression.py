# A measurement begins its line; the kinds as a set.
import re


def uses_gpu(metrics_page: str, config: dict) -> bool:
    found = re.search(r"^nv_gpu_memory_total_bytes\s*\{", metrics_page, re.MULTILINE)
    return found is not None and "KIND_GPU" in {group.get("kind") for group in config.get("instance_group", [])}
