# There are always more batches than the pipeline is deep.
# caught: IndexError: list index out of range
def answer_all(pipeline, batches, depth):
    for number in range(depth):
        pipeline.feed_input("DALI_INPUT", batches[number])
    answers = []
    for number in range(len(batches)):
        answers.append(pipeline.run())
        if number + depth < len(batches):
            pipeline.feed_input("DALI_INPUT", batches[number + depth])
    return answers
