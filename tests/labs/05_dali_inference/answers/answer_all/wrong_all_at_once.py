# Feed all, then take all: it cannot run dry.
# caught: AssertionError: batches were in a pipeline of depth
def answer_all(pipeline, batches, depth):
    for batch in batches:
        pipeline.feed_input("DALI_INPUT", batch)
    return [pipeline.run() for _ in batches]
