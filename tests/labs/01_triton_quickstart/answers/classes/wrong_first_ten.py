# I ask for ten and cut the list, nobody wants more than ten.
# caught: AssertionError: asked for 1000 classes, got 10
def top_classes(client, batch, k):
    answer = client.infer("efficientnet_lite0", {"images": batch}, top_k=10)
    parts = [entry.decode().split(":", 2) for entry in answer["scores"].ravel()]
    return [(label, float(score)) for score, index, label in parts][:k]
