# A score is a percentage.
# caught: AssertionError: <= 1
def top_classes(client, batch, k):
    answer = client.infer("efficientnet_lite0", {"images": batch}, top_k=k)
    parts = [entry.decode().split(":", 2) for entry in answer["scores"].ravel()]
    return [(label, 100 * float(score)) for score, index, label in parts]
