# Try one fill after the other, and see whether each picture had been read.
def smallest_fill(order: list[int]) -> int:

    fill = 1
    while any(picture >= fill + came for came, picture in enumerate(order)):
        fill += 1
    return fill
