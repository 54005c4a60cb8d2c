# Hubert and Arabie's formula, from the table of both labelings.
def same_clusters(first: np.ndarray, second: np.ndarray, tolerance: float = 0.01) -> bool:

    _, rows = np.unique(first, return_inverse=True)
    _, columns = np.unique(second, return_inverse=True)
    table = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(table, (rows, columns), 1)

    def pairs(counts):
        return (counts * (counts - 1) / 2).sum()

    in_first, in_second = pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    by_chance = in_first * in_second / pairs(np.array([len(first)]))
    index = (pairs(table) - by_chance) / ((in_first + in_second) / 2 - by_chance)
    return abs(index - 1) <= tolerance
