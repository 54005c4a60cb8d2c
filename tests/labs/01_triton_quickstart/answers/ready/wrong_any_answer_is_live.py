# A server that answers at all is live, whatever it answers.
# caught: AssertionError: a server that answers, but not with 200
def readiness(http, model):
    return {
        "live": http_get(http, "/v2/health/live")[0] != 0,
        "ready": http_get(http, "/v2/health/ready")[0] == 200,
        "model": http_get(http, f"/v2/models/{model}/ready")[0] == 200,
    }
