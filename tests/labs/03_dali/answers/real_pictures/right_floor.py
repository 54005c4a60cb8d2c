# With floor and ceil, as the text has it.
def real_pictures(pictures: int, shards: int, shard: int, batch_size: int) -> list[int]:

    from math import ceil

    first = (pictures * shard) // shards
    end = (pictures * (shard + 1)) // shards
    counts = []
    left = end - first
    for _ in range(ceil(ceil(pictures / shards) / batch_size)):
        now = min(left, batch_size)
        counts.append(now)
        left -= now
    return counts
