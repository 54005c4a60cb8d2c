# The batches of the queue are made at the same time.
# caught: AssertionError: assert np.isclose(epoch_seconds([4, 4, 4], [1, 1, 1], depth=2), 13)  #
def epoch_seconds(load: list[float], step: list[float], depth: int) -> float:

    called, made, now = [], [], 0.0
    for k in range(len(load)):
        called.append(now)
        taken_on = called[max(k - depth + 1, 0)]
        made.append(taken_on + load[k])
        now = max(now, made[k]) + step[k]
    return now
