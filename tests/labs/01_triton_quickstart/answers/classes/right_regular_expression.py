# With a regular expression: everything after the second colon is the label.
import re


def top_classes(client, batch: np.ndarray, k: int) -> list[tuple[str, float]]:
    entries = client.infer("efficientnet_lite0", {"images": batch}, top_k=k, outputs=["scores"])["scores"][0]
    matches = [re.fullmatch(rb"([^:]+):(\d+):(.*)", entry, re.DOTALL) for entry in entries]
    return [(match[3].decode("utf-8"), float(match[1])) for match in matches]
