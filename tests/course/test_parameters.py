from __future__ import annotations

from typing import TYPE_CHECKING

import course_builder as b
import pytest

from w251lab.accelerator import DEVICES
from w251lab.course.parameters import check_device_and_scale, check_names, declared, parse
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from typing import Any


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("-2.5", -2.5), ("True", True), ("None", None), ("3 cats", "3 cats"), ("1e3", 1000.0), ("", "")],
)
def test_values_are_parsed_as_papermill_parses_them(text: str, value: Any) -> None:
    parsed = parse([("n", text)])["n"]
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("n", "1"), ("n", "2")], "given twice"),
        ([("device", "cpu")], "option of its own"),
        ([("n-k", "1")], "cannot be a parameter's name"),
        ([("", "1")], "cannot be a parameter's name"),
    ],
)
def test_names_that_cannot_be_meant_are_refused(pairs: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(pairs)


def test_an_unknown_name_is_told_the_nearest() -> None:
    nb = b.notebook(b.parameters('device = "auto"  # cpu or gpu\nscale: str = "small"\nclasses = 3\n\nprint("hello")'))
    assert declared(nb) == ("device", "scale", "classes")
    check_names(nb, {"device": "cpu", "scale": "small", "classes": 5}, "lab/nb")
    with pytest.raises(UsageError, match="lab/nb has no parameter 'clases'") as caught:
        check_names(nb, {"clases": 5}, "lab/nb")
    assert "'classes'" in caught.value.remedy


def test_every_notebook_takes_device_and_scale() -> None:
    with pytest.raises(UsageError) as caught:
        check_names(b.notebook(b.code("x", "device = 1")), {"device": "cpu"}, "lab/nb")
    assert "Add device to its cell tagged 'parameters'" in caught.value.remedy


@pytest.mark.parametrize(("device", "scale"), [("cuda", "small"), ("cpu", "big")])
def test_unknown_devices_and_scales_are_refused(device: str, scale: str) -> None:
    with pytest.raises(UsageError, match="cannot be"):
        check_device_and_scale(device, scale)


@pytest.mark.parametrize("device", DEVICES)
def test_the_devices_are_those_that_the_labs_know(device: str) -> None:
    check_device_and_scale(device, "full")
