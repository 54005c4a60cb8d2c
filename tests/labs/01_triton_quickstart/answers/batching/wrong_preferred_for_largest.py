# 16 is the size that I prefer.
# caught: AssertionError: served.max_batch_size == 16
batched = describe(
    "efficientnet_lite0",
    served_as="batched",
    device=device,
    max_batch_size=64,
    dynamic_batching=DynamicBatching(max_queue_delay_us=5000, preferred=(16,)),
)
