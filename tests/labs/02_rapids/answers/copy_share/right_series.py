# All rounds up to a limit at once.
def copy_share(record: dict[str, float], rounds: int) -> float:
    times = pd.Series(record)
    return float((times.from_host - times.on_device) / (times.from_host + rounds * times.per_round))


def rounds_needed(record: dict[str, float]) -> int:
    rounds = np.arange(1, 100_000)
    price = record["from_host"] - record["on_device"]
    shares = price / (record["from_host"] + rounds * record["per_round"])
    return rounds[np.argmax(shares < 0.1)]
