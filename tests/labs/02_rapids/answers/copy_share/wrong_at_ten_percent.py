# Rounds up: where the share is exactly 10 % it is not yet below.
# caught: AssertionError: rounds_needed
import math


def copy_share(record: dict[str, float], rounds: int) -> float:
    price = record["from_host"] - record["on_device"]
    return price / (record["from_host"] + rounds * record["per_round"])


def rounds_needed(record: dict[str, float]) -> int:
    price = record["from_host"] - record["on_device"]
    return max(1, math.ceil((10 * price - record["from_host"]) / record["per_round"]))
