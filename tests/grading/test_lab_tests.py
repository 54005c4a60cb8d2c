"""What is known of a lab's own cells, and how a test is made ready to be sent."""

from __future__ import annotations

import marshal

import course_builder as b
import pytest

from w251lab.course.notebook import cells
from w251lab.grading import lab_tests
from w251lab.grading.guard_steps import MARK
from w251lab.grading.lab_tests import is_hidden

SETUP = """import numpy as np
from numpy import testing
import os.path

def helper(x):
    return np.sqrt(x)
"""
TEST = "assert helper(4) == 2\ntesting.assert_equal(len(answer()), np.e > 2)\n0.5"


def lab() -> lab_tests.Tests:
    return lab_tests.Tests(b.notebook(b.locked("setup", SETUP), b.graded("a-test", TEST, 2)))


def test_knows_the_imports_and_the_functions_of_the_labs_own_cells() -> None:
    found = lab()
    assert found.imported == ("numpy", "os")
    assert set(found.functions) == {"helper"}
    assert {"numpy", "builtins", "numpy.testing"} <= set(found.watched)
    assert "pandas.testing" not in found.watched, "the lab does not import pandas"
    assert ("numpy", "testing", "assert_equal") in found.chains()


def test_a_test_is_bound_to_what_was_there_before_the_student_and_made_once() -> None:
    found = lab()
    cell = cells(b.notebook(b.graded("a-test", TEST, 2)))[0]
    bindable = frozenset({"numpy:testing:assert_equal", "builtins:len", "numpy"})
    request = found.request(cell, bindable)
    kind, filename, body, value, helpers = request
    assert (kind, filename) == ("test", "<test a-test>")
    code = marshal.loads(body)  # noqa: S302 - our own
    assert f"{MARK}builtins:len" in code.co_consts
    assert f"{MARK}numpy:testing:assert_equal" in code.co_consts
    assert "answer" in code.co_names
    assert "len" not in code.co_names
    assert marshal.loads(value).co_consts == (0.5,)  # noqa: S302
    assert [helper[0] for helper in helpers] == ["helper", "np"]
    assert found.request(cell, bindable) is request
    assert found.request(cell, frozenset()) != request, "another kernel could bind less"


def test_a_test_that_does_not_compile_is_the_labs_mistake() -> None:
    with pytest.raises(SyntaxError):
        lab().request(cells(b.notebook(b.graded("bad", "assert (")))[0], frozenset())


def test_a_line_is_hidden_between_the_marks_alone() -> None:
    source = "a\n### BEGIN HIDDEN TESTS\nb\n### END HIDDEN TESTS\nc"
    assert [is_hidden(source, line) for line in (1, 3, 5)] == [False, True, False]
    assert is_hidden(source, 0)
    assert not is_hidden("a\nb", 0)
