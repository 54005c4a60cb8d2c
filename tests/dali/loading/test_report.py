from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from w251lab.dali.loading import report

if TYPE_CHECKING:
    from collections.abc import Callable

    from w251lab.dali.loading.result import Loader, Loading


def test_a_row_for_each_loader(loading: Loading) -> None:
    assert report.rows(loading) == [
        ["Pillow, 1 process", "100", "10.0", "0.100", "6.00", "3.00", "0.600", "0.300", "10.0", "decode"],
        ["DALI CPU, 16 threads", "250", "4.00", "0.500", "2.50", "0.500", "1.00", "-", "4.50", "decode"],
    ]


def test_the_table_on_a_terminal_of_its_usual_width(on_gpu: Loading) -> None:
    console = Console(width=120, record=True, file=None, quiet=False)
    with console.capture() as said:
        console.print(on_gpu.table())
    text = said.get()
    assert "5,000" in text
    assert "NVIDIA H200; A Processor, 16 cores" in text
    assert "…" not in text


def test_noise_is_shown_and_said(loading: Loading, dali_loader: Callable[..., Loader]) -> None:
    noisy = dali_loader("dali", 4.0, 0.5, 3.0, 3.5, 3.48, half=0.02)
    found = replace(loading, loaders=(noisy,))
    assert report.rows(found)[0][6] == "~0 ±0.099"
    assert any("normalise of DALI CPU, 16 threads" in said for said in found.remarks())
    frame = found.frame().set_index("stage")
    assert frame.loc["normalise", "ms_per_image"] == pytest.approx(-0.02), "the figure itself is there"
    assert frame.loc["normalise", "low"] < 0 < frame.loc["normalise", "high"]


def test_below_0_by_more_than_the_noise(loading: Loading, dali_loader: Callable[..., Loader]) -> None:
    found = replace(loading, loaders=(dali_loader("dali", 4.0, 0.5, 3.0, 3.5, 2.0),))
    assert report.rows(found)[0][6] == "-1.50"
    assert any(said.startswith("A stage below 0 by more than the noise") for said in found.remarks())
    assert not any("below 0" in said for said in loading.remarks())


def test_what_belongs_under_it(loading: Loading, on_gpu: Loading) -> None:
    said = "\n".join(loading.remarks())
    assert "60 files of 124 kB and 0.79 megapixels" in said
    assert "end in the computer's memory" in said
    assert "page cache" in said
    assert "kept 0.0 cores of the machine busy meanwhile." in said
    assert "not settled" not in said
    assert "Worker processes" not in said
    assert "on A Processor, 16 cores (numpy 2.4.0), 2026-11-21." in said
    assert "end in the GPU's memory" in on_gpu.remarks()[0]
    busy = replace(loading, others=1.5).remarks()[-1]
    assert busy == "Other processes kept 1.5 cores of the machine busy meanwhile; measure again when it is quiet."
    assert "busy" not in "".join(replace(loading, others=None).remarks()[-1:])


def test_what_did_not_settle(loading: Loading) -> None:
    pillow = loading.of("pillow")
    found = replace(loading, loaders=(replace(pillow, whole=replace(pillow.whole, settled=False)),))
    assert report.rows(found)[0][0] == "Pillow, 1 process *"
    assert any(said.startswith("* not settled") for said in found.remarks())


def test_the_frame(on_gpu: Loading) -> None:
    frame = on_gpu.frame()
    assert list(frame["stage"]) == ["whole", "read", "decode", "augment", "normalise", "copy"] * 3
    gpu = frame[frame["loader"] == "dali-gpu"].set_index("stage")
    assert gpu.loc["whole", "images_per_second"] == pytest.approx(5000)
    assert gpu.loc["whole", "device"] == "gpu"
    assert gpu.loc["read", "device"] == "cpu"
    assert gpu.loc["read", "hardware"] == "A Processor, 16 cores"
    assert list(gpu["how"]) == ["whole", "difference", "difference", "difference", "difference", "none"]
    stages = frame[frame["stage"] != "whole"].groupby("loader")["ms_per_image"].sum()
    assert stages["pillow"] == pytest.approx(10)


def test_markdown(loading: Loading) -> None:
    head, rule, first, *_ = report.markdown(loading).splitlines()
    assert head.count("|") == rule.count("|") == first.count("|")
    assert head.startswith("| loader | images/s | whole | read |")


@pytest.mark.parametrize(
    ("value", "said"),
    [(123.4, "123"), (12.34, "12.3"), (1.234, "1.23"), (0.1234, "0.123"), (0.0, "0.000"), (-1.5, "-1.50")],
)
def test_three_digits(value: float, said: str) -> None:
    assert report.milliseconds(value) == said
