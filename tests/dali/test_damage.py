from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from w251lab.dali import damage, sources

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.dali.sources import Source


@pytest.fixture
def mixed(photographs: Source) -> Source:
    """Good, cut short, good, no picture, no picture."""
    good = photographs.read(0)
    return sources.encoded([good, good[:5000], good, b"text", bytes(100)])


def test_every_damaged_picture_is_found_with_its_reason(mixed: Source) -> None:
    found = damage.find(mixed)
    assert [(item.place, item.reason) for item in found] == [
        (3, "it is no picture that DALI can read"),
        (4, "it is no picture that DALI can read"),
        (1, "it is damaged or cut short"),
    ]
    assert found[0].name == "picture 3"


def test_it_stops_when_told(mixed: Source) -> None:
    assert len(damage.find(mixed, at_most=1)) == 1
    assert len(damage.find(mixed, at_most=3)) == 3
    assert damage.find(mixed, seconds=0) == []


def test_nothing_is_wrong_with_good_pictures(photographs: Source) -> None:
    assert damage.find(photographs) == []


def test_a_file_that_went_away_is_found(tmp_path: Path, photographs: Source) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(photographs.read(0))
    source = sources.files([path])
    path.unlink()
    (found,) = damage.find(source)
    assert found.reason == "its file cannot be read any more (No such file or directory)"


def test_what_has_another_cause_is_said_in_dalis_words(photographs: Source, mixed: Source) -> None:
    full = RuntimeError("Error in GPU operator\n\nencountered:\n\nout of memory\nobject is no longer valid.")
    said = damage.explain(full, mixed)  # some of these are damaged, and it is not their fault
    assert said.what == "DALI could not make a batch: out of memory"
    assert "batch_size" in said.remedy
    assert damage.explain(RuntimeError(), photographs).what == "DALI could not make a batch: RuntimeError"


def test_a_file_that_dali_names_is_looked_at_first(mixed: Source, tmp_path: Path) -> None:
    paths = [tmp_path / f"{index}.jpg" for index in range(3)]
    for path in paths:
        path.write_bytes(mixed.read(1))
    said = damage.explain(
        RuntimeError(f"encountered:\n\nFailed to decode sample #0 : {paths[2]}"), sources.files(paths)
    )
    assert said.what == f"{paths[2]} cannot be decoded: it is damaged or cut short"
