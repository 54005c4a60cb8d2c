# First make room, then load the new one.
# caught: AssertionError: for a moment no model was ready
def swap(client, old: str, new: str) -> None:
    client.unload(old)
    client.load(new)
