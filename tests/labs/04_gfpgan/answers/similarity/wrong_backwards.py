# From the template to the face.
# caught: AssertionError: assert np.allclose(similarity(square, 2 * square
def similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:

    z, w = target @ [1, 1j], points @ [1, 1j]
    turn = ((w - w.mean()) * (z - z.mean()).conj()).sum() / (abs(z - z.mean()) ** 2).sum()
    shift = w.mean() - turn * z.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
