# With urllib, which raises for a status that is not 200 and for a server that is not there.
from urllib.request import urlopen


def yes(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def readiness(http: str, model: str) -> dict[str, bool]:
    base = f"http://{http}/v2"
    return dict(
        live=yes(base + "/health/live"), ready=yes(base + "/health/ready"), model=yes(f"{base}/models/{model}/ready")
    )
