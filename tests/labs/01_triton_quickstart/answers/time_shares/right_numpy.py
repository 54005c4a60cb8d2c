# An array of four, divided by its sum.
def time_shares(before, after):
    names = ["queue", "compute_input", "compute_infer", "compute_output"]
    read = [[page["nv_inference_" + name + "_duration_us"] for name in names] for page in (before, after)]
    grown = np.diff(np.array(read), axis=0)[0]
    return dict(zip(["queue", "input", "infer", "output"], (grown / grown.sum()).tolist()))
