from __future__ import annotations

import copy
import json
from typing import Any

import course_builder as build
import little_course as little
import nbformat
import pytest
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearSolutions

from w251lab.course.notebook import UnreadableNotebookError, cells, parse_notebook, to_bytes
from w251lab.grading.matching import read_lab
from w251lab.grading.restore import Restored, restore


def restored(nb: Any) -> tuple[Restored, Any]:
    done = restore(to_bytes(nb), little.source_bytes())
    return done, parse_notebook(done.notebook, "restored")


def answers(notebook: bytes) -> dict[str, str]:
    return {cell.key: cell.source for cell in cells(parse_notebook(notebook, "restored")) if cell.solution}


def order(nb: Any) -> list[str]:
    """The lab's code cells in the order in which they run."""
    known = {cell.key for cell in cells(little.source()) if cell.cell_type == "code"}
    return [cell.key for cell in cells(nb) if cell.key in known and cell.cell_type == "code"]


RUN_ORDER = order(little.source())


def assert_whole(nb: Any) -> None:
    """Every locked cell as in the source, in the lab's order, each once."""
    assert order(nb) == RUN_ORDER
    source = {cell.key: cell for cell in cells(little.source())}
    for cell in cells(nb):
        if cell.key in source and source[cell.key].is_locked:
            assert cell.source == source[cell.key].source
            assert cell.points == source[cell.key].points


def strip(nb: Any, name: str) -> Any:
    """Take id and metadata from a cell, as a detour through another program does."""
    node = nb["cells"][little.place(nb, name)]
    node["id"], node["metadata"] = "0a1b2c3d", {}
    return node


def test_an_untouched_submission_needs_no_repair_and_gets_its_hidden_tests() -> None:
    done, nb = restored(little.answered())
    assert (done.faults, done.repairs) == ({}, ())
    assert_whole(nb)
    assert all(secret.encode() in done.notebook for secret in little.SECRETS)
    assert answers(done.notebook) == little.RIGHT | {little.ESSAY: "Sum over count."}


@pytest.mark.parametrize("name", ["setup", "parameters", "normalise-test-shape", "total-test"])
@pytest.mark.parametrize("harm", ["deleted", "edited", "to raw"])
def test_a_locked_cell_is_put_back_and_counts(name: str, harm: str) -> None:
    nb = little.answered()
    node = nb["cells"][little.place(nb, name)]
    if harm == "deleted":
        nb["cells"].remove(node)
    elif harm == "edited":
        node["source"] = "assert True"
    else:
        node["cell_type"] = "raw"
        del node["outputs"], node["execution_count"]
    done, nb = restored(nb)
    assert done.faults == {}
    assert len(done.repairs) == 1
    assert name in done.repairs[0]
    assert_whole(nb)


def test_a_test_that_is_put_back_runs_after_what_was_added_to_its_answer() -> None:
    nb = little.answered()
    del nb["cells"][little.place(nb, "total-test")]
    little.add_cell(nb, "total = lambda path: 31.0", before="essay-text")
    _, nb = restored(nb)
    own = next(cell.index for cell in cells(nb) if cell.source.startswith("total = lambda"))
    assert little.place(nb, "total") < own < little.place(nb, "total-test")


def test_every_cell_of_the_lab_but_the_answers_may_be_gone() -> None:
    nb = little.answered()
    kept = {*little.RIGHT, little.ESSAY}
    nb["cells"] = [node for node, cell in zip(nb["cells"], cells(nb), strict=True) if cell.key in kept]
    done, nb = restored(nb)
    assert done.faults == {}
    assert_whole(nb)


def test_forged_metadata_of_answers_and_tests_is_the_courses_again() -> None:
    nb = little.answered()
    for node in nb["cells"]:
        if "nbgrader" in node["metadata"]:
            node["metadata"]["nbgrader"] |= {"points": 100, "grade": True, "locked": False, "solution": False}
    done, nb = restored(nb)
    assert done.faults == {}
    assert_whole(nb)
    essay = cells(nb)[little.place(nb, little.ESSAY)]
    assert (essay.points, essay.is_manual) == (2.0, True)


def test_another_copy_of_a_test_is_set_aside_whichever_stands_first() -> None:
    nb = little.answered()
    node = copy.deepcopy(nb["cells"][little.place(nb, "total-test")])
    node["id"], node["source"] = "copied", "pass"
    nb["cells"].insert(0, node)
    done, nb = restored(nb)
    assert_whole(nb)
    assert nb["cells"][0]["cell_type"] == "raw"
    assert nb["cells"][0]["metadata"]["tags"] == ["quarantined"]
    assert done.repairs == ("Another copy of the cell total-test was set aside and not run.",)


def test_without_ids_the_unchanged_one_of_two_copies_is_the_test() -> None:
    nb = little.answered()
    node = copy.deepcopy(nb["cells"][little.place(nb, "total-test")])
    node["source"] = "pass"
    nb["cells"].insert(little.place(nb, "total"), node)
    for number, cell in enumerate(nb["cells"]):
        cell["id"] = f"new-{number}"
    done, nb = restored(nb)
    assert_whole(nb)
    assert len([repair for repair in done.repairs if "total-test" in repair]) == 1


def test_both_halves_of_a_split_answer_run_before_the_test() -> None:
    nb = little.answered()
    at = little.place(nb, "normalise")
    half = copy.deepcopy(nb["cells"][at])
    half["id"], half["source"] = "half", "normalise_again = normalise"
    nb["cells"].insert(at + 1, half)
    done, nb = restored(nb)
    assert done.faults == {}
    assert_whole(nb)
    assert little.place(nb, "normalise") + 1 == little.place(nb, "half")
    assert "all of them were run" in done.repairs[0]


def test_the_filled_in_one_of_two_copies_is_the_essay() -> None:
    nb = little.answered()
    at = little.place(nb, little.ESSAY)
    filled = copy.deepcopy(nb["cells"][at])
    filled["id"] = "copied"
    nb["cells"][at]["source"] = little.released()["cells"][at]["source"]
    nb["cells"].insert(at, filled)
    done, nb = restored(nb)
    assert done.faults == {}
    assert answers(done.notebook)[little.ESSAY] == "Sum over count."


@pytest.mark.parametrize("name", [*little.RIGHT, little.ESSAY])
def test_an_answer_without_metadata_is_found_by_its_content(name: str) -> None:
    nb = little.answered()
    strip(nb, name)
    little.add_cell(nb, "note = 'not an answer'", before="setup")
    done, nb = restored(nb)
    assert done.faults == {}
    assert answers(done.notebook)[name] == (little.RIGHT | {little.ESSAY: "Sum over count."})[name]
    assert_whole(nb)


def test_an_answer_that_only_its_grade_id_tells_is_found() -> None:
    nb = little.answered()
    nb["cells"][little.place(nb, "total")]["id"] = "0a1b2c3d"
    done, nb = restored(nb)
    assert (done.faults, done.repairs) == ({}, ())
    assert_whole(nb)


def test_the_id_says_more_than_an_exchanged_grade_id() -> None:
    nb = little.answered()
    first, second = (nb["cells"][little.place(nb, name)] for name in ("total", "row_means"))
    first["metadata"], second["metadata"] = second["metadata"], first["metadata"]
    done, nb = restored(nb)
    assert answers(done.notebook) == little.RIGHT | {little.ESSAY: "Sum over count."}
    assert_whole(nb)


def test_what_cannot_be_decided_is_ungradable_and_listed() -> None:
    nb = little.answered()
    node = strip(nb, "total")
    other = copy.deepcopy(node)
    other["id"], other["source"] = "ffffffff", "def total(path):\n    return 0.0"
    nb["cells"].insert(little.place(nb, "total-test"), other)
    done, _ = restored(nb)
    assert {key: str(fault.verdict) for key, fault in done.faults.items()} == {"total": "ungradable"}
    assert any("2 cells could be it" in repair for repair in done.repairs)


def test_a_deleted_answer_is_not_invented() -> None:
    nb = little.answered()
    del nb["cells"][little.place(nb, "total")]
    done, nb = restored(nb)
    assert "total" not in answers(done.notebook)
    assert "total-test" in order(nb)


@pytest.mark.parametrize("name", ["setup", "total-test", "total"])
def test_cells_out_of_order_go_back_and_nothing_else_moves(name: str) -> None:
    nb = little.answered()
    little.add_cell(nb, "mine = 1", before="count_primes")
    node = nb["cells"].pop(little.place(nb, name))
    nb["cells"].insert(len(nb["cells"]) if name == "setup" else 0, node)
    done, nb = restored(nb)
    assert_whole(nb)
    assert done.repairs == (f"The cell {name} stood out of order and was put back in its place.",)
    own = next(cell.index for cell in cells(nb) if cell.source == "mine = 1")
    assert little.place(nb, "normalise-test") < own < little.place(nb, "count_primes")


def test_own_cells_stay_but_can_pass_for_nothing() -> None:
    nb = little.answered()
    extra = build.notebook(
        build.graded("invented", "pass", points=50),
        build.code("spy", "device = 'gpu'", tags=["injected-parameters"]),
        build.code("again", "scale = 'full'", tags=["parameters", "hide"]),
    )
    nb["cells"] += [*extra["cells"], copy.deepcopy(extra["cells"][2])]
    done, nb = restored(nb)
    assert sum(cell.points for cell in cells(nb)) == 12
    assert [cell.tags for cell in cells(nb)[-3:]] == [("quarantined",), ("hide",), ("hide",)]
    assert len({node["id"] for node in nb["cells"]}) == len(nb["cells"])
    assert any("'invented'" in repair for repair in done.repairs)


def test_no_output_kernel_or_forged_record_is_taken_over() -> None:
    nb = little.answered()
    nb["metadata"] = {"kernelspec": {"name": "R", "display_name": "R"}, "w251lab": {"restarts": []}}
    for node in nb["cells"]:
        if node["cell_type"] == "code":
            node["metadata"]["w251lab"] = {"outcome": "completed", "seconds": 0}
            node["execution_count"] = 3
            node["outputs"] = [nbformat.v4.new_output("stream", text="passed")]
    done, nb = restored(nb)
    assert b"passed" not in done.notebook
    assert b"outcome" not in done.notebook
    assert nb["metadata"]["kernelspec"]["name"] == "python3"
    assert done.repairs == ("The notebook named another kernel than the course's; the course's was used.",)


def old_format(nb: Any) -> bytes:
    return str(nbformat.writes(nbformat.convert(nb, 3), version=nbformat.NO_CONVERT)).encode()


def plain(**changes: Any) -> bytes:
    return json.dumps(dict(little.answered()) | changes).encode()


@pytest.mark.filterwarnings("ignore::UserWarning")  # nbformat's own, about the old format that is written here
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: old_format(little.answered()), "converted from format 3"),
        (lambda: plain(nbformat=5), "format 5"),
        (lambda: plain(nbformat=None), "format None"),
        (lambda: plain(nbformat_minor=99, metadata=None), "another kernel"),
        (lambda: b"\xef\xbb\xbf" + plain(), ""),
        (lambda: plain().decode().encode("utf-16"), "UTF-16"),
        (lambda: plain(cells=[*little.answered()["cells"], 7, {"cell_type": "heading", "source": 3}]), "no cell"),
        (lambda: plain().replace(b"Sum over", b"Sum \\ud800 over"), "cannot be written"),
    ],
)
def test_a_damaged_file_is_repaired(make: Any, said: str) -> None:
    done = restore(make(), little.source_bytes())
    assert done.faults == {}
    assert said in " ".join(done.repairs)
    assert bool(said) == bool(done.repairs)
    assert_whole(parse_notebook(done.notebook, "restored"))
    assert answers(done.notebook)["total"] == little.RIGHT["total"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b" \n", "empty"),
        (b"\x00\xff\xfe", "not JSON"),
        (plain()[:-40], "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "no notebook"),
        (b"{}", "no cells"),
        (b'{"nbformat": 4, "cells": [1]}', "cells are empty"),
        (b'{"nbformat": 3, "worksheets": 3}', "format 3"),
        (plain(cells=[{}] * 6000), "6000 cells"),
    ],
)
def test_what_cannot_be_read_says_why(content: bytes, said: str) -> None:
    with pytest.raises(UnreadableNotebookError, match="cannot be read") as refused:
        restore(content, little.source_bytes())
    assert said in refused.value.what


def test_restoring_twice_changes_nothing() -> None:
    nb = little.answered()
    del nb["cells"][little.place(nb, "total-test")]
    nb["cells"].insert(0, nb["cells"].pop(little.place(nb, "count_primes-test")))
    first = restore(to_bytes(nb), little.source_bytes())
    again = restore(first.notebook, little.source_bytes())
    assert again.notebook == first.notebook
    assert again.repairs == ()


def test_what_was_released_is_what_nbgrader_releases() -> None:
    region = "### BEGIN SOLUTION\n    x = 1\n    ### END SOLUTION"
    nb = build.notebook(
        *little.source()["cells"],
        build.solution("whole", "y = 2"),
        build.solution("two", f"def f():\n    {region}\n    z = 3\n    {region}\n    return z"),
        build.essay("part", "Say why:\n### BEGIN SOLUTION\nBecause.\n### END SOLUTION"),
        build.task("work", "Do it.\n=== BEGIN MARK SCHEME ===\n2 points\n=== END MARK SCHEME ==="),
    )
    released = copy.deepcopy(nb)
    for step in (ClearSolutions, ClearHiddenTests, ClearMarkScheme):
        released, _ = step().preprocess(released, {})
    assert read_lab(to_bytes(nb)).released == {cell.key: cell.source.rstrip() for cell in cells(released)}
