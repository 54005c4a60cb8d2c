# The readings as series; 0 / 0 gives nan, which becomes 0.
def average_batch(before: dict[str, float], after: dict[str, float]) -> float:
    grown = pd.Series(after) - pd.Series(before)
    ratio = pd.Series([grown["nv_inference_count"]]) / grown["nv_inference_exec_count"]
    return float(ratio.fillna(0.0).iloc[0])
