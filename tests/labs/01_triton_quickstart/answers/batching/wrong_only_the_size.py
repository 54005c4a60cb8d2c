# A batch of up to 16: then the server batches.
# caught: AssertionError: 32 requests at once were not joined
batched = describe("efficientnet_lite0", served_as="batched", device=device, max_batch_size=16)
