# For each class, the picture that has it most.
# caught: AssertionError: the first classes are 0 and 1
def parity(first, second, at_least):
    top1 = float((first.argmax(axis=0) == second.argmax(axis=0)).mean())
    return {"top1": top1, "mad": float(np.abs(first - second).mean()), "same": bool(top1 >= at_least)}
