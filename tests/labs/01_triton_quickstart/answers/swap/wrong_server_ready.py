# Unload the old one when the server is ready.
# caught: AssertionError: the new model did not load, and the old one is gone
def swap(client, old: str, new: str) -> None:
    try:
        client.load(new)
    except Exception as error:
        print(error)
    if client.is_ready():
        client.unload(old)
