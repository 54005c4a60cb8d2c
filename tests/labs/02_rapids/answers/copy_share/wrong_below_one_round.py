# The formula alone: where the copy is cheap it gives a number below 1.
# caught: AssertionError: at least one round
import math


def copy_share(record: dict[str, float], rounds: int) -> float:
    price = record["from_host"] - record["on_device"]
    return price / (record["from_host"] + rounds * record["per_round"])


def rounds_needed(record: dict[str, float]) -> int:
    price = record["from_host"] - record["on_device"]
    return math.floor((10 * price - record["from_host"]) / record["per_round"]) + 1
