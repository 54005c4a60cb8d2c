# finally makes sure that the old one goes.
# caught: AssertionError: the new model did not load, and the old one is gone
def swap(client, old: str, new: str) -> None:
    try:
        client.load(new)
    finally:
        client.unload(old)
