from __future__ import annotations

import math

from w251lab.triton.statistics import Answers, from_json

VERSION = {
    "inference_count": "6",
    "execution_count": 2,
    "inference_stats": {
        "success": {"count": "3", "ns": "900"},
        "fail": {"count": 1, "ns": 5},
        "queue": {"count": 3, "ns": 100},
        "compute_input": {"count": 3, "ns": 20},
        "compute_infer": {"count": 3, "ns": 700},
        "compute_output": {"count": 3, "ns": 30},
    },
    "batch_stats": [
        {"batch_size": "4", "compute_infer": {"count": "1"}},
        {"batch_size": 2, "compute_infer": {"count": 1}},
    ],
}


def test_numbers_may_be_text() -> None:
    read = from_json({"model_stats": [VERSION]}, "m")
    assert (read.inferences, read.executions, read.successes, read.failures) == (6, 2, 3, 1)
    assert (read.queue_ns, read.input_ns, read.infer_ns, read.output_ns) == (100, 20, 700, 30)
    assert read.batches == {2: 1, 4: 1}
    assert read.average_batch == 3


def test_versions_are_added_up() -> None:
    read = from_json({"model_stats": [VERSION, VERSION]}, "m")
    assert (read.inferences, read.queue_ns, read.batches) == (12, 200, {2: 2, 4: 2})


def test_a_model_that_was_never_asked() -> None:
    read = from_json({"model_stats": [{"name": "m", "inference_stats": {}}]}, "m")
    assert (read.inferences, read.executions, read.batches) == (0, 0, {})
    assert math.isnan(read.average_batch)


def test_answers_since_the_counters_were_read() -> None:
    answers = Answers()
    assert answers.expected("m") == 0
    answers.add("m")
    answers.add("other")
    assert answers.expected("m") == 1
    answers.seen("m", 7)
    answers.add("m")
    assert answers.expected("m") == 8
    answers.seen("m", 0)
    assert answers.expected("m") == 0
