# urlopen raises when something is wrong, so whatever comes back is fine.
# caught: HTTPError: 400
from urllib.request import urlopen


def readiness(http: str, model: str) -> dict[str, bool]:
    paths = {"live": "/v2/health/live", "ready": "/v2/health/ready", "model": f"/v2/models/{model}/ready"}
    return {name: urlopen(f"http://{http}{path}").status == 200 for name, path in paths.items()}
