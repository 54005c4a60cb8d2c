# The coffee is the picture that we classify.
# caught: AssertionError: "cat" in top_classes
def top_classes(client, batch, k):
    answer = client.infer("efficientnet_lite0", {"images": coffee}, top_k=k)
    parts = [entry.decode().split(":", 2) for entry in answer["scores"].ravel()]
    return [(label, float(score)) for score, index, label in parts]
