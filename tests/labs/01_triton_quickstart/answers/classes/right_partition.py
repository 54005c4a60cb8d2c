# partition cuts at the first colon only; sorted once more to be sure.
def top_classes(client, batch, k):
    answer = client.infer(model="efficientnet_lite0", inputs={"images": batch}, top_k=k)
    pairs = []
    for i in range(k):
        score, _, rest = str(answer["scores"][0, i], "utf-8").partition(":")
        pairs.append((rest.partition(":")[2], float(score)))
    pairs.sort(key=lambda pair: -pair[1])
    return pairs
