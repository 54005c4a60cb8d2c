# Doubles until it is enough, then halves the interval.
def copy_share(record: dict[str, float], rounds: int) -> float:
    without = record["on_device"] + rounds * record["per_round"]
    price = record["from_host"] - record["on_device"]
    return price / (price + without)


def rounds_needed(record: dict[str, float]) -> int:
    price = record["from_host"] - record["on_device"]

    def enough(rounds):
        return 10 * price < record["from_host"] + rounds * record["per_round"]

    low, high = 0, 1
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
