# The fewest that keep the limit.
# caught: AssertionError: choose_instances(example, 50.0) == 2
def choose_instances(rows: list[dict], p95_limit_ms: float) -> int | None:
    return min((row["instances"] for row in rows if row["p95_ms"] <= p95_limit_ms), default=None)
