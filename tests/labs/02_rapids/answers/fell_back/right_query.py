# Sorted first, then asked.
def fell_back(steps):
    ordered = steps.sort_values("cpu_seconds", ascending=False, kind="stable")
    on_gpu, on_cpu = steps[["gpu_seconds", "cpu_seconds"]].sum()
    if on_gpu + on_cpu == 0:
        share = 0.0
    else:
        share = 1 - on_gpu / (on_gpu + on_cpu)
    return ordered.query("cpu_calls >= 1").function.tolist(), share
