# For each batch: when is it taken on, made, and worked off?
def epoch_seconds(load: list[float], step: list[float], depth: int) -> float:

    called, made, done = {}, {}, {-1: 0.0}
    for k in range(len(load)):
        called[k] = done[k - 1]
        taken_on = called[k - depth + 1] if k >= depth else 0.0
        made[k] = max(taken_on, made.get(k - 1, 0.0)) + load[k]
        done[k] = max(called[k], made[k]) + step[k]
    return done[len(load) - 1]
