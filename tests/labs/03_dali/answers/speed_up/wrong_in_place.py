# Write the new times into the table.
# caught: AssertionError: the stages themselves were changed
def speed_up(stages: dict[str, float], faster: dict[str, float]) -> float:

    before = sum(stages.values())
    for stage, factor in faster.items():
        stages[stage] /= factor
    return before / sum(stages.values())
