# One after the other, and no more questions once one is answered with no.
def readiness(http: str, model: str) -> dict[str, bool]:
    result = {"live": False, "ready": False, "model": False}
    status, text = http_get(http, "/v2/health/live")
    if status == 200:
        result["live"] = True
        status, text = http_get(http, "/v2/health/ready")
        if status == 200:
            result["ready"] = True
    if result["ready"]:
        status, text = http_get(http, "/v2/models/" + model + "/ready")
        if status == 200:
            result["model"] = True
    return result
