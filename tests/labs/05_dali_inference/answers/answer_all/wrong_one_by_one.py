# Feed one, take one.
# caught: IndexError: Attempted to peek the data batch
def answer_all(pipeline, batches, depth):
    answers = []
    for batch in batches:
        pipeline.feed_input("DALI_INPUT", batch)
        answers.append(pipeline.run())
    return answers
