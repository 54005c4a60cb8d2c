# NVIDIA's client library has a method for each of the three.
import tritonclient.http as library


def readiness(http: str, model: str) -> dict[str, bool]:
    client = library.InferenceServerClient(http)
    try:
        return {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "model": client.is_model_ready(model),
        }
    except OSError:
        return {"live": False, "ready": False, "model": False}
    finally:
        client.close()
