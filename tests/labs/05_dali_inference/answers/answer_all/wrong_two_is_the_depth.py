# A pipeline is two deep.
# caught: AssertionError: were in a pipeline of depth 1
def answer_all(pipeline, batches, depth):
    waiting = iter(batches)
    for batch in islice(waiting, 2):
        pipeline.feed_input("DALI_INPUT", batch)
    answers = []
    for _ in batches:
        answers.append(pipeline.run())
        for batch in islice(waiting, 1):
            pipeline.feed_input("DALI_INPUT", batch)
    return answers
