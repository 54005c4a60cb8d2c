# More than 99 %.
# caught: AssertionError: one of two is at least 0.5
def parity(first, second, at_least):
    answered = ~(np.isnan(first).any(axis=1) | np.isnan(second).any(axis=1))
    one, other = first[answered], second[answered]
    top1 = float((one.argmax(axis=1) == other.argmax(axis=1)).sum() / len(first))
    mad = float(np.abs(one - other).mean()) if answered.any() else float("nan")
    return {"top1": top1, "mad": mad, "same": bool(top1 > at_least)}
