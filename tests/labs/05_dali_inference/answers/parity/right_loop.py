# Picture by picture.
import math


def parity(first, second, at_least):
    agreed, gaps = 0, []
    for one, other in zip(first, second, strict=True):
        if any(map(math.isnan, one)) or any(map(math.isnan, other)):
            continue
        agreed += int(np.argmax(one) == np.argmax(other))
        gaps.extend(abs(x - y) for x, y in zip(one, other, strict=True))
    top1 = agreed / len(first)
    return {"top1": top1, "mad": sum(gaps) / len(gaps) if gaps else math.nan, "same": top1 >= at_least}
