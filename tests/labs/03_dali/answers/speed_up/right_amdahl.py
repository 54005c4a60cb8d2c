# Amdahl's law, with shares.
def speed_up(stages: dict[str, float], faster: dict[str, float]) -> float:

    total = sum(stages.values())
    rest = 1.0
    for stage, factor in faster.items():
        share = stages[stage] / total
        rest += share / factor - share
    return 1 / rest
