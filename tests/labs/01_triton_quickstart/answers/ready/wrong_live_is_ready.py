# When the server lives it is ready, that is the same thing.
# caught: AssertionError: a server that is still loading
def readiness(http: str, model: str) -> dict[str, bool]:
    live = http_get(http, "/v2/health/live")[0] == 200
    return {"live": live, "ready": live, "model": http_get(http, f"/v2/models/{model}/ready")[0] == 200}
