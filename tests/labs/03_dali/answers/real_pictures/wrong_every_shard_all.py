# A shard reads all.
# caught: AssertionError: assert real_pictures(9, 2, 0, 4) == [4, 0]
def real_pictures(pictures: int, shards: int, shard: int, batch_size: int) -> list[int]:

    return [min(batch_size, pictures - start) for start in range(0, pictures, batch_size)]
