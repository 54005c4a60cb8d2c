# With a table of pandas.
def choose_instances(rows: list[dict], p95_limit_ms: float) -> int | None:
    frame = pd.DataFrame(rows).query("p95_ms <= @p95_limit_ms")
    if frame.empty:
        return None
    return int(frame.loc[frame.throughput >= frame.throughput.max() * 95 / 100, "instances"].min())
