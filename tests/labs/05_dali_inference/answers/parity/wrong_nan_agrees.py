# argmax of NaN is a place like any other.
# caught: AssertionError: NaN is no answer
def parity(first, second, at_least):
    top1 = float((first.argmax(axis=1) == second.argmax(axis=1)).mean())
    mad = float(np.nanmean(np.abs(first - second)))
    return {"top1": top1, "mad": mad, "same": bool(top1 >= at_least)}
