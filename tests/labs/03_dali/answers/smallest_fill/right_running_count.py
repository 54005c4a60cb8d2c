# How many have been read by then, less those that came already.
def smallest_fill(order: list[int]) -> int:

    fill, read = 1, 0
    for came, picture in enumerate(order):
        read = max(read, picture + 1)
        fill = max(fill, read - came)
    return fill
