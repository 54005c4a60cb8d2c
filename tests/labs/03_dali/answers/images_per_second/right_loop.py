# Batch by batch.
def images_per_second(clock: list[float], sizes: list[int], warm_up: int) -> float:

    pictures, seconds = 0, 0.0
    for number in range(warm_up, len(sizes)):
        pictures += sizes[number]
        seconds += clock[number + 1] - clock[number]
    return pictures / seconds
