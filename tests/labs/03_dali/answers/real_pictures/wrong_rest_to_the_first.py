# The first shards get one more.
# caught: AssertionError: assert real_pictures(9, 2, 0, 4) == [4, 0]
def real_pictures(pictures: int, shards: int, shard: int, batch_size: int) -> list[int]:

    own = pictures // shards + (shard < pictures % shards)
    longest = -(-pictures // shards)
    return [max(0, min(batch_size, own - start)) for start in range(0, longest, batch_size)]
