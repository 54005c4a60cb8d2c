# A batch is begun when the model is done with the one depth before it was made.
# caught: AssertionError: a slow batch, 1 batch ahead
def epoch_seconds(load: list[float], step: list[float], depth: int) -> float:

    made, now = [], 0.0
    for k in range(len(load)):
        taken_on = made[k - depth] if k >= depth else 0.0
        made.append(max(taken_on, made[-1] if made else 0.0) + load[k])
        now = max(now, made[k]) + step[k]
    return now if depth > 1 else sum(load) + sum(step)
