# First those that fit, then one in for each one out, then the rest.
def answer_all(pipeline, batches, depth):
    answers = []
    for place, batch in enumerate(batches):
        if place >= depth:
            answers.append(pipeline.run())
        pipeline.feed_input("DALI_INPUT", batch)
    while len(answers) < len(batches):
        answers.append(pipeline.run())
    return answers
