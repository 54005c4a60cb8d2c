# classify() must read these texts too, so there is a function for it.
from w251lab.triton.classifiers import parse


def top_classes(client, batch, k):
    (row,) = client.infer("efficientnet_lite0", {"images": batch}, top_k=k)["scores"]
    return [(c.label, c.score) for c in map(parse, row)]
