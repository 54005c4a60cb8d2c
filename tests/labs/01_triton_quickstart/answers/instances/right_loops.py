# Two loops: the best one, then the smallest that comes near it.
def choose_instances(rows, p95_limit_ms):
    best = 0.0
    for row in rows:
        if not row["p95_ms"] > p95_limit_ms and row["throughput"] > best:
            best = row["throughput"]
    chosen = None
    for row in rows:
        if row["p95_ms"] > p95_limit_ms or 100 * row["throughput"] < 95 * best:
            continue
        if chosen is None or row["instances"] < chosen:
            chosen = row["instances"]
    return chosen
