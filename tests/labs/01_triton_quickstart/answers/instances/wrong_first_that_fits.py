# The table begins with the fewest instances, so the first row that fits.
# caught: AssertionError: 573 is more than 95 % of 600
def choose_instances(rows: list[dict], p95_limit_ms: float) -> int | None:
    allowed = [row for row in rows if row["p95_ms"] <= p95_limit_ms]
    for row in allowed:
        if row["throughput"] >= 0.95 * max(other["throughput"] for other in allowed):
            return row["instances"]
    return None
