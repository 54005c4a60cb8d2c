# Pictures without an answer do not count.
# caught: AssertionError: NaN is no answer
def parity(first, second, at_least):
    answered = ~(np.isnan(first).any(axis=1) | np.isnan(second).any(axis=1))
    one, other = first[answered], second[answered]
    top1 = float((one.argmax(axis=1) == other.argmax(axis=1)).mean()) if answered.any() else 0.0
    mad = float(np.abs(one - other).mean()) if answered.any() else float("nan")
    return {"top1": top1, "mad": mad, "same": bool(top1 >= at_least)}
