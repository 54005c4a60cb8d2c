# Adds the matrix on the device to the one from the host.
# caught: AssertionError
def copy_share(record: dict[str, float], rounds: int) -> float:
    price = record["from_host"] - record["on_device"]
    return price / (record["from_host"] + record["on_device"] + rounds * record["per_round"])


def rounds_needed(record: dict[str, float]) -> int:
    rounds = 1
    while copy_share(record, rounds) >= 0.1:
        rounds += 1
    return rounds
