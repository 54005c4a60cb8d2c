# Number the pictures of the shard, and count those of each batch.
def real_pictures(pictures: int, shards: int, shard: int, batch_size: int) -> list[int]:

    bounds = [pictures * each // shards for each in range(shards + 1)]
    longest = max(end - begin for begin, end in zip(bounds, bounds[1:], strict=False))
    own = bounds[shard + 1] - bounds[shard]
    batches = (longest + batch_size - 1) // batch_size
    return np.bincount(np.arange(own) // batch_size, minlength=batches).tolist()
