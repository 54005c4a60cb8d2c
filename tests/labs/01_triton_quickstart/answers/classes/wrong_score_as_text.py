# The score as it stands in the answer.
# caught: TypeError: not supported between instances of
def top_classes(client, batch, k):
    answer = client.infer("efficientnet_lite0", {"images": batch}, top_k=k)
    parts = [entry.decode().split(":", 2) for entry in answer["scores"].ravel()]
    return [(label, score) for score, index, label in parts]
