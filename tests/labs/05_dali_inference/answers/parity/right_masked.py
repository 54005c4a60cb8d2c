# A row with NaN gets a class that no other row has.
def parity(first, second, at_least):
    lost = np.isnan(first + second).any(axis=1)
    one = np.where(lost, -1, np.nan_to_num(first).argmax(axis=1))
    other = np.where(lost, -2, np.nan_to_num(second).argmax(axis=1))
    top1 = float(np.mean(one == other))
    rest = np.abs(first - second)[~lost]
    return {"top1": top1, "mad": float(rest.mean()) if len(rest) else float("nan"), "same": not top1 < at_least}
