# Ask for forgiveness: dividing by 0 means that nothing ran.
def average_batch(before: dict[str, float], after: dict[str, float]) -> float:
    def between(name):
        return after["nv_inference_" + name] - before["nv_inference_" + name]

    try:
        return between("count") / between("exec_count")
    except ZeroDivisionError:
        return 0.0
