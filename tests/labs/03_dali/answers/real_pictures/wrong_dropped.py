# What does not fill a batch is dropped.
# caught: AssertionError: assert real_pictures(9, 2, 1, 4) == [4, 1]
def real_pictures(pictures: int, shards: int, shard: int, batch_size: int) -> list[int]:

    own = pictures * (shard + 1) // shards - pictures * shard // shards
    longest = -(-pictures // shards)
    return [batch_size if start + batch_size <= own else 0 for start in range(0, longest, batch_size)]
