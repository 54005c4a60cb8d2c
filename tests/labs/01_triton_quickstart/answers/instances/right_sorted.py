# From the fewest instances up, the first that is good enough.
def choose_instances(rows: list[dict], p95_limit_ms: float) -> int | None:
    allowed = sorted((r for r in rows if r["p95_ms"] <= p95_limit_ms), key=lambda r: r["instances"])
    best = max((r["throughput"] for r in allowed), default=0.0)
    return next((r["instances"] for r in allowed if r["throughput"] / best >= 0.95), None)
