# 16 is the largest batch already, unless told otherwise.
waiting = DynamicBatching(max_queue_delay_us=int(5e-3 * 1e6))
batched = describe("efficientnet_lite0", served_as="batched", device=device, dynamic_batching=waiting)
