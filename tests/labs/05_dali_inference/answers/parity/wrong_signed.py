# Mean difference.
# caught: AssertionError: np.isclose
def parity(first, second, at_least):
    top1 = float((first.argmax(axis=1) == second.argmax(axis=1)).mean())
    return {"top1": top1, "mad": float((first - second).mean()), "same": bool(top1 >= at_least)}
