# An answer for each batch that I feed after the first ones.
# caught: AssertionError: [[2], [3, 4], [5]]
def answer_all(pipeline, batches, depth):
    for batch in batches[:depth]:
        pipeline.feed_input("DALI_INPUT", batch)
    answers = []
    for batch in batches[depth:]:
        answers.append(pipeline.run())
        pipeline.feed_input("DALI_INPUT", batch)
    return answers
