# The answer has the scores, I take the first k.
# caught: AttributeError: decode
def top_classes(client, batch, k):
    answer = client.infer("efficientnet_lite0", {"images": batch})
    return [(entry.decode(), float(entry)) for entry in answer["scores"][0][:k]]
