# A description is a dataclass: take the first one and change what has to change.
from dataclasses import replace

batched = describe("efficientnet_lite0", served_as="batched", device=device)
batched = replace(batched, dynamic_batching=DynamicBatching(5 * 1000), max_batch_size=16)
