# The best class is the highest score.
# caught: AssertionError: the first classes are 0 and 1
def parity(first, second, at_least):
    top1 = float(first.argmax() == second.argmax())
    return {"top1": top1, "mad": float(np.abs(first - second).mean()), "same": bool(top1 >= at_least)}
