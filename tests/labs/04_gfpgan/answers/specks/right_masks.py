# Two masks.
def specks(picture: np.ndarray, share: float, seed: int) -> np.ndarray:

    u = np.random.default_rng(seed).random((picture.shape[0], picture.shape[1]))
    result = np.array(picture)
    np.putmask(result, np.broadcast_to((u < share / 2)[(...,) + (None,) * (picture.ndim - 2)], picture.shape), 0)
    np.putmask(result, np.broadcast_to((u >= 1 - share / 2)[(...,) + (None,) * (picture.ndim - 2)], picture.shape), 255)
    return result
