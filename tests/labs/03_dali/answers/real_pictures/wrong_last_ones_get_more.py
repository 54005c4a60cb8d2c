# The last shards get one more each.
# caught: AssertionError: pictures, shard
def real_pictures(pictures: int, shards: int, shard: int, batch_size: int) -> list[int]:

    own = pictures // shards + (shard >= shards - pictures % shards)
    longest = -(-pictures // shards)
    return [max(0, min(batch_size, own - start)) for start in range(0, longest, batch_size)]
