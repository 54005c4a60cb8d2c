# The places picked from the names; before - after, since the signs cancel.
import re


def time_shares(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    spent = {}
    for name in after:
        if match := re.fullmatch("nv_inference_(?:compute_)?(queue|input|infer|output)_duration_us", name):
            spent[match[1]] = before[name] - after[name]
    return {place: value / sum(spent.values()) for place, value in spent.items()}
