# The row has everything.
# caught: AssertionError: choose_instances(example, 50.0) == 2
def choose_instances(rows: list[dict], p95_limit_ms: float) -> int | None:
    allowed = [row for row in rows if row["p95_ms"] <= p95_limit_ms]
    if not allowed:
        return None
    best = max(row["throughput"] for row in allowed)
    return min((row for row in allowed if row["throughput"] >= 0.95 * best), key=lambda row: row["instances"])
