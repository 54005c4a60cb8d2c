# Amdahl's law for each stage, multiplied.
# caught: AssertionError: of {
def speed_up(stages: dict[str, float], faster: dict[str, float]) -> float:

    whole, total = 1.0, sum(stages.values())
    for stage, factor in faster.items():
        share = stages[stage] / total
        whole *= 1 / (1 - share + share / factor)
    return whole
