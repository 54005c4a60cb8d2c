# Tries every tenth number of rounds.
# caught: AssertionError: rounds_needed
def copy_share(record: dict[str, float], rounds: int) -> float:
    price = record["from_host"] - record["on_device"]
    return price / (record["from_host"] + rounds * record["per_round"])


def rounds_needed(record: dict[str, float]) -> int:
    return next(rounds for rounds in range(10, 100_000, 10) if copy_share(record, rounds) < 0.1)
