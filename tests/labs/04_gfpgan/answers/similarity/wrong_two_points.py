# The eyes are enough.
# caught: AssertionError: landmarks that do not fit exactly
def similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:

    z, w = points @ [1, 1j], target @ [1, 1j]
    turn = (w[1] - w[0]) / (z[1] - z[0])
    shift = w[0] - turn * z[0]
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
