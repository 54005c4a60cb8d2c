# I know where my server is, so I ask that one.
# caught: AssertionError: a server that is not there
def readiness(http: str, model: str) -> dict[str, bool]:
    paths = {"live": "/v2/health/live", "ready": "/v2/health/ready", "model": f"/v2/models/{model}/ready"}
    return {name: http_get(triton.http, path)[0] == 200 for name, path in paths.items()}
