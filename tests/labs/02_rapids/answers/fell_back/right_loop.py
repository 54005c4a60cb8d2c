# One row after the other: the table is short.
def fell_back(steps):
    names, on_cpu, total = [], 0.0, 0.0
    for row in steps.to_dict("records"):
        if row["cpu_calls"]:
            names.append((row["cpu_seconds"], row["function"]))
        on_cpu += row["cpu_seconds"]
        total += row["cpu_seconds"] + row["gpu_seconds"]
    names.sort(key=lambda pair: -pair[0])
    return [name for _, name in names], on_cpu / total if total > 0 else 0.0
