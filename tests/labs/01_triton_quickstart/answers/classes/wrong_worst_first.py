# sort() does it.
# caught: AssertionError: espresso
def top_classes(client, batch, k):
    answer = client.infer("efficientnet_lite0", {"images": batch}, top_k=k)
    parts = [entry.decode().split(":", 2) for entry in answer["scores"].ravel()]
    return sorted(((label, float(score)) for score, index, label in parts), key=lambda pair: pair[1])
