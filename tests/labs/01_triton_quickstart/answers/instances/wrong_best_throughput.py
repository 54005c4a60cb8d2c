# The best throughput within the limit wins.
# caught: AssertionError: choose_instances(example, 50.0) == 2
def choose_instances(rows: list[dict], p95_limit_ms: float) -> int | None:
    allowed = [row for row in rows if row["p95_ms"] <= p95_limit_ms]
    if not allowed:
        return None
    return max(allowed, key=lambda row: row["throughput"])["instances"]
