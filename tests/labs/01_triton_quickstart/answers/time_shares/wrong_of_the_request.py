# Shares of the whole request: Triton counts that as well.
# caught: AssertionError: abs(sum(shares.values()) - 1) < 1e-9
def time_shares(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    def grown(name):
        return after[f"nv_inference_{name}_duration_us"] - before[f"nv_inference_{name}_duration_us"]

    places = {"queue": "queue", "input": "compute_input", "infer": "compute_infer", "output": "compute_output"}
    return {place: grown(name) / grown("request") for place, name in places.items()}
