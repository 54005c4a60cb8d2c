# The scale is the ratio of the spreads.
# caught: AssertionError: landmarks that do not fit exactly
def similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:

    z, w = points @ [1, 1j], target @ [1, 1j]
    p, t = z - z.mean(), w - w.mean()
    turn = (t * p.conj()).sum()
    turn = turn / abs(turn) * np.sqrt((abs(t) ** 2).sum() / (abs(p) ** 2).sum())
    shift = w.mean() - turn * z.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
