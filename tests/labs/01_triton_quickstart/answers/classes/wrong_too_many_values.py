# score:index:label are three parts.
# caught: ValueError: too many values to unpack
def top_classes(client, batch, k):
    answer = client.infer("efficientnet_lite0", {"images": batch}, top_k=k)
    result = []
    for entry in answer["scores"].ravel():
        score, index, label = entry.decode().split(":")
        result.append((label, float(score)))
    return result
