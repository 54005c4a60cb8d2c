# Queue, compute, and what goes in and out.
# caught: AssertionError: 'queue'
def time_shares(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    def grown(name):
        return after[f"nv_inference_{name}_duration_us"] - before[f"nv_inference_{name}_duration_us"]

    spent = {
        "queue": grown("queue"),
        "output": grown("compute_input"),
        "infer": grown("compute_infer"),
        "input": grown("compute_output"),
    }
    return {place: us / sum(spent.values()) for place, us in spent.items()}
