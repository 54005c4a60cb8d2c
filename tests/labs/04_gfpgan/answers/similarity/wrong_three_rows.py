# A square matrix.
# caught: ValueError: operands could not be broadcast
def similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:

    z, w = points @ [1, 1j], target @ [1, 1j]
    turn = ((w - w.mean()) * (z - z.mean()).conj()).sum() / (abs(z - z.mean()) ** 2).sum()
    shift = w.mean() - turn * z.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag], [0, 0, 1]])
