# Requests hold one picture each, so that is the largest batch.
# caught: AssertionError: 32 requests at once were not joined
batched = describe(
    "efficientnet_lite0",
    served_as="batched",
    device=device,
    max_batch_size=1,
    dynamic_batching=DynamicBatching(max_queue_delay_us=5000),
)
