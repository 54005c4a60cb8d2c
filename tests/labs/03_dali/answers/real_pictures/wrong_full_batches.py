# DALI's batches are full.
# caught: AssertionError: assert real_pictures(9, 2, 0, 4) == [4, 0]
def real_pictures(pictures: int, shards: int, shard: int, batch_size: int) -> list[int]:

    return [batch_size] * -(-(-(-pictures // shards)) // batch_size)
