# Load the one, unload the other.
# caught: AssertionError: the new model does not answer
def swap(client, old: str, new: str) -> None:
    client.load(old)
    client.unload(new)
