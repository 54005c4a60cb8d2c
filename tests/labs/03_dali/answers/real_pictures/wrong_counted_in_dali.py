# DALI tells.
# caught: AssertionError: DALI's reader is switched off here
def real_pictures(pictures: int, shards: int, shard: int, batch_size: int) -> list[int]:

    known, real = set(), []
    for numbers in shard_epoch(pictures, shards, shard, batch_size):
        real.append(len(set(numbers) - known))
        known |= set(numbers)
    return real
