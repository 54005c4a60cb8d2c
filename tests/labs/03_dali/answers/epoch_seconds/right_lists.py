# The same with lists that begin with zeros.
def epoch_seconds(load: list[float], step: list[float], depth: int) -> float:

    calls = [0.0] * depth
    maker = model = 0.0
    for seconds, works in zip(load, step, strict=True):
        maker = max(maker, calls[-depth]) + seconds
        model = max(model, maker) + works
        calls.append(model)
    return model
