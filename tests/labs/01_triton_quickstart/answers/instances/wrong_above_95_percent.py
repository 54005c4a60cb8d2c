# More than 95 % of the best.
# caught: AssertionError: 570 is exactly 95 % of 600
def choose_instances(rows: list[dict], p95_limit_ms: float) -> int | None:
    allowed = [row for row in rows if row["p95_ms"] <= p95_limit_ms]
    if not allowed:
        return None
    best = max(row["throughput"] for row in allowed)
    return min(row["instances"] for row in allowed if row["throughput"] > 0.95 * best)
