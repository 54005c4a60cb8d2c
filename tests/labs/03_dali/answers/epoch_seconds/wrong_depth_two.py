# With or without.
# caught: AssertionError: a slow batch, 3 batches ahead
def epoch_seconds(load: list[float], step: list[float], depth: int) -> float:

    ahead = min(depth, 2)
    calls, maker, model = [0.0] * ahead, 0.0, 0.0
    for seconds, works in zip(load, step, strict=True):
        maker = max(maker, calls[-ahead]) + seconds
        model = max(model, maker) + works
        calls.append(model)
    return model
