# Load, ask whether it is really ready, and only then unload.
def swap(client, old: str, new: str) -> None:
    client.load(new)
    if not client.is_ready(new):
        raise RuntimeError(f"{new} is not ready")
    client.unload(old)
