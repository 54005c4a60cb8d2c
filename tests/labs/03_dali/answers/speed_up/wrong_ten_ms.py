# 10 ms are 10 ms.
# caught: AssertionError: nothing but decoding
def speed_up(stages: dict[str, float], faster: dict[str, float]) -> float:
    return 10 / sum(t / faster.get(s, 1) for s, t in stages.items())
