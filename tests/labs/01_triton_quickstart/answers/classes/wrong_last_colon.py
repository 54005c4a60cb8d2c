# The label comes after the last colon.
# caught: AssertionError: a label with a colon
def top_classes(client, batch, k):
    answer = client.infer("efficientnet_lite0", {"images": batch}, top_k=k)
    result = []
    for entry in answer["scores"].ravel():
        rest, label = entry.decode().rsplit(":", 1)
        result.append((label, float(rest.split(":")[0])))
    return result
