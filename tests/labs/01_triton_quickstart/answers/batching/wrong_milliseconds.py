# 5 milliseconds.
# caught: AssertionError: 5 milliseconds are 5000 microseconds
batched = describe(
    "efficientnet_lite0",
    served_as="batched",
    device=device,
    max_batch_size=16,
    dynamic_batching=DynamicBatching(max_queue_delay_us=5),
)
