# Each shard runs the batches that it needs.
# caught: AssertionError: assert real_pictures(9, 2, 0, 4) == [4, 0]
def real_pictures(pictures: int, shards: int, shard: int, batch_size: int) -> list[int]:

    own = pictures * (shard + 1) // shards - pictures * shard // shards
    return [min(batch_size, own - start) for start in range(0, own, batch_size)]
