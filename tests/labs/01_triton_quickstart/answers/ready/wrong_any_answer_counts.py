# The server answered something, so it is there.
# caught: AssertionError: an unknown model
def readiness(http: str, model: str) -> dict[str, bool]:
    def answers(path):
        status, _ = http_get(http, path)
        return status != 0

    return {
        "live": answers("/v2/health/live"),
        "ready": answers("/v2/health/ready"),
        "model": answers(f"/v2/models/{model}/ready"),
    }
