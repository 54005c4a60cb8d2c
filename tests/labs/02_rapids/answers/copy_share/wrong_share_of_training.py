# The price over the training alone.
# caught: AssertionError
def copy_share(record: dict[str, float], rounds: int) -> float:
    return (record["from_host"] - record["on_device"]) / (rounds * record["per_round"])


def rounds_needed(record: dict[str, float]) -> int:
    rounds = 1
    while copy_share(record, rounds) >= 0.1:
        rounds += 1
    return rounds
