# My description is called batched.
# caught: UnknownModelError: batched
batched = describe(
    "efficientnet_lite0",
    device=device,
    max_batch_size=16,
    dynamic_batching=DynamicBatching(max_queue_delay_us=5000),
)
