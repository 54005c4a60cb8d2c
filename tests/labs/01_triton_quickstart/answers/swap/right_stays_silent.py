# If it does not load, say so and leave everything as it was.
def swap(client, old: str, new: str) -> None:
    try:
        client.load(new)
    except Exception as error:
        print("the new model does not load:", error)
        return
    while not client.is_ready(new):
        pass
    client.unload(old)
