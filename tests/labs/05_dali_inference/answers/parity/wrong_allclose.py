# The same is the same.
# caught: AssertionError: one of two is at least 0.5
def parity(first, second, at_least):
    top1 = float((first.argmax(axis=1) == second.argmax(axis=1)).mean())
    return {"top1": top1, "mad": float(np.abs(first - second).mean()), "same": bool(np.allclose(first, second))}
