from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from w251lab.dali.loading.result import Loading
from w251lab.errors import W251Error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Change = Callable[[dict[str, Any]], object]


def test_there_and_back(loading: Loading, on_gpu: Loading, tmp_path: Path) -> None:
    for found in (loading, on_gpu):
        file = found.save(tmp_path / "a folder" / "l.json")
        again = Loading.load(file)
        assert again == found
        assert again.recorded
        assert not found.recorded
        assert str(tmp_path) not in file.read_text()


def _gpu_label(content: dict[str, Any]) -> None:
    content["loaders"][1]["whole"]["device"] = "gpu"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda content: content.pop("loaders"), "'loaders' is missing"),
        (lambda content: content["loaders"].clear(), "it has no loaders"),
        (lambda content: content["loaders"].append(content["loaders"][0]), "or one twice"),
        (lambda content: content["loaders"][0].update(key="magic"), "no loader 'magic'"),
        (lambda content: content["loaders"][0].update(parallel=0), "parallel = 0 cannot be"),
        (lambda content: content["loaders"][0]["stages"].pop(), "the stages of Pillow, 1 process are not"),
        (lambda content: content["loaders"][0]["stages"][1].update(how="guess"), "measured by 'guess'"),
        (lambda content: content["loaders"][0]["stages"][1].update(timing=None), "does not have the timings of"),
        (lambda content: content["loaders"][0]["stages"][1]["timing"].update(samples=[-1.0]), "samples = "),
        (lambda content: content["loaders"][0]["stages"].insert(0, 7), "'timing' is missing"),
        (lambda content: content.update(device="tpu"), "device = 'tpu' cannot be"),
        (lambda content: content.update(made="today"), "made = 'today' is no day"),
        (lambda content: content.update(batch_size=True), "batch_size = True cannot be"),
        (lambda content: content.update(pixels_per_picture=0), "pixels_per_picture = 0 cannot be"),
        (lambda content: content.update(others=-1), "others = -1 cannot be"),
        (lambda content: content.update(others="2"), "others = '2' cannot be"),
        (_gpu_label, "computes on the cpu, and its time is of the gpu"),
    ],
)
def test_a_damaged_file(loading: Loading, tmp_path: Path, change: Change, what: str) -> None:
    file = loading.save(tmp_path / "l.json")
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    with pytest.raises(W251Error, match="is damaged") as caught:
        Loading.load(file)
    assert what in caught.value.what
    assert str(file) in caught.value.what
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no JSON"),
        ("{}", "no benchmark of loading"),
        ('{"schema": "w251lab.timing.comparison", "version": 1}', "no benchmark of loading"),
        ('{"schema": "w251lab.dali.loading", "version": 2}', "later w251lab"),
    ],
)
def test_a_file_of_another_kind(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "l.json").write_text(text)
    with pytest.raises(W251Error, match=what):
        Loading.load(tmp_path / "l.json")
    with pytest.raises(W251Error, match="cannot be read"):
        Loading.load(tmp_path / "missing.json")
