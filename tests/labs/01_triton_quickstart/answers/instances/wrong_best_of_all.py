# Nearly the best throughput of the table, within the limit.
# caught: AssertionError: 573 is more than 95 % of 600
def choose_instances(rows: list[dict], p95_limit_ms: float) -> int | None:
    best = max(row["throughput"] for row in rows)
    allowed = [row for row in rows if row["p95_ms"] <= p95_limit_ms]
    return min((row["instances"] for row in allowed if row["throughput"] >= 0.95 * best), default=None)
