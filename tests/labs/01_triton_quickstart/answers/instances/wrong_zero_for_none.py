# No instances, so 0.
# caught: AssertionError: choose_instances(example, 10.0) is None
def choose_instances(rows: list[dict], p95_limit_ms: float) -> int | None:
    allowed = [row for row in rows if row["p95_ms"] <= p95_limit_ms]
    best = max((row["throughput"] for row in allowed), default=0)
    return min((row["instances"] for row in allowed if row["throughput"] >= 0.95 * best), default=0)
