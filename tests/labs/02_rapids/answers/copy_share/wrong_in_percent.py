# In percent.
# caught: AssertionError
def copy_share(record: dict[str, float], rounds: int) -> float:
    price = record["from_host"] - record["on_device"]
    return 100 * price / (record["from_host"] + rounds * record["per_round"])


def rounds_needed(record: dict[str, float]) -> int:
    rounds = 1
    while copy_share(record, rounds) >= 10:
        rounds += 1
    return rounds
