# The client that the server object hands out can do it, at any address.
from w251lab.triton.client import TritonClient


def readiness(http: str, model: str) -> dict[str, bool]:
    with TritonClient(http) as client:
        return {"live": client.is_live(), "ready": client.is_ready(), "model": client.is_ready(model)}
