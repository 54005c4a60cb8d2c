# The matrix is made anew in every round.
# caught: AssertionError
def copy_share(record: dict[str, float], rounds: int) -> float:
    return (record["from_host"] - record["on_device"]) / (record["from_host"] + record["per_round"])


def rounds_needed(record: dict[str, float]) -> int:
    price = record["from_host"] - record["on_device"]
    return max(1, int((price / 0.1 - record["from_host"]) / record["per_round"]) + 1)
