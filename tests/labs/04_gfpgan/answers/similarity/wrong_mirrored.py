# A mirror is fine, too.
# caught: AssertionError: a face in a mirror
def similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:

    z, w = points @ [1, 1j], target @ [1, 1j]
    best = None
    for mirror in (False, True):
        p = (z.conj() if mirror else z) - (z.conj() if mirror else z).mean()
        turn = ((w - w.mean()) * p.conj()).sum() / (abs(p) ** 2).sum()
        left = (abs(w - w.mean() - turn * p) ** 2).sum()
        if best is None or left < best[0] - 1e-9:
            flip = np.diag([1, -1 if mirror else 1])
            linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]]) @ flip
            best = left, np.column_stack([linear, target.mean(axis=0) - linear @ points.mean(axis=0)])
    return best[1]
