# The same is the same.
# caught: AssertionError
def parity(first, second, at_least=0.99):
    top1 = float((first.argmax(axis=1) == second.argmax(axis=1)).mean())
    return {"top1": top1, "mad": float(np.abs(first - second).mean()), "same": bool(np.allclose(first, second))}
