# The fastest answer is the best one.
# caught: AssertionError: table, 100.0
def choose_instances(rows: list[dict], p95_limit_ms: float) -> int | None:
    allowed = [row for row in rows if row["p95_ms"] <= p95_limit_ms]
    return min(allowed, key=lambda row: row["p95_ms"])["instances"] if allowed else None
