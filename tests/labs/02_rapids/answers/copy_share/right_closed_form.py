# Solved for the rounds: price / (from_host + rounds * per_round) < 1/10.
import math


def copy_share(record: dict[str, float], rounds: int) -> float:
    total = record["from_host"] + record["per_round"] * rounds
    return (record["from_host"] - record["on_device"]) / total


def rounds_needed(record: dict[str, float]) -> int:
    price = record["from_host"] - record["on_device"]
    equal = (10 * price - record["from_host"]) / record["per_round"]
    return max(1, math.floor(equal) + 1)
