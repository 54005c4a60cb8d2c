# 1 means yes and 0 means no.
# caught: AssertionError
def readiness(http: str, model: str) -> dict[str, bool]:
    paths = {"live": "/v2/health/live", "ready": "/v2/health/ready", "model": f"/v2/models/{model}/ready"}
    return {name: 1 if http_get(http, path)[0] == 200 else 0 for name, path in paths.items()}
