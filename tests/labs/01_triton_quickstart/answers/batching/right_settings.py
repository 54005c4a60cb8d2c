# From a table of settings, with the sizes that the server should aim at.
settings = {"device": device, "served_as": "batched", "max_batch_size": 4**2, "instances": 1}
settings["dynamic_batching"] = DynamicBatching(preferred=(8, 16), max_queue_delay_us=5_000)
batched = describe("efficientnet_lite0", **settings)
