# There are always more batches than the pipeline is deep.
# caught: AssertionError: no answer with 0 batches and depth 1
def answer_all(pipeline, batches, depth):
    for number in range(depth):
        pipeline.feed_input("DALI_INPUT", batches[number])
    answers = []
    for number in range(len(batches)):
        answers.append(pipeline.run())
        if number + depth < len(batches):
            pipeline.feed_input("DALI_INPUT", batches[number + depth])
    return answers
