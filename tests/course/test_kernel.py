from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import course_builder as b
import psutil
import pytest
from nbclient.exceptions import DeadKernelError
from papermill.engines import NotebookExecutionManager

from w251lab.course.kernel import OUTPUT_LIMIT, ThisInterpreter, WatchedClient, kernel_environment

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def scratch() -> Iterator[Path]:
    folder = b.short_folder()
    yield folder
    b.remove(folder)


def client(nb: Any, scratch: Path) -> WatchedClient:
    return WatchedClient(NotebookExecutionManager(nb, progress_bar=False), scratch=scratch, cancelled=threading.Event())


def test_every_name_is_this_interpreter() -> None:
    for name in ("python3", "some-other-kernel"):
        assert ThisInterpreter().get_kernel_spec(name).argv[0] == sys.executable


def test_openmp_waits_without_spinning_unless_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert kernel_environment(tmp_path)["OMP_WAIT_POLICY"] == "passive"
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    assert kernel_environment(tmp_path)["OMP_WAIT_POLICY"] == "active"


def test_the_environment_has_our_programs_first_and_no_start_up_files(tmp_path: Path) -> None:
    environment = kernel_environment(tmp_path)
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert environment["IPYTHONDIR"] == str(tmp_path / "ipython")
    assert environment.keys() >= os.environ.keys()


def test_what_a_lab_leaves_in_the_temporary_folder_goes_with_the_run(tmp_path: Path) -> None:
    temporary = Path(kernel_environment(tmp_path)["TMPDIR"])
    assert temporary.is_dir()
    assert temporary.parent == tmp_path
    kernel_environment(tmp_path)  # of the next kernel of the same run


def message(kind: str, **content: Any) -> dict[str, Any]:
    return {"msg_type": kind, "header": {"msg_type": kind}, "content": content, "parent_header": {"msg_id": "1"}}


def value(text: str, **more: Any) -> dict[str, Any]:
    return message("execute_result", data={"text/plain": text, **more}, metadata={}, execution_count=1)


def outputs(scratch: Path, *messages: dict[str, Any]) -> list[Any]:
    outs: list[Any] = []
    told = client(b.notebook(), scratch)
    told.clear_before_next_output = False  # as at the start of a cell
    for each in messages:
        told.output(outs, each, "", 0)
    return outs


def stream(characters: int) -> dict[str, Any]:
    return message("stream", name="stdout", text="x" * characters)


def test_output_beyond_the_limit_is_dropped_but_for_the_error(scratch: Path) -> None:
    error = message("error", ename="E", evalue="e", traceback=[])
    outs = outputs(scratch, stream(OUTPUT_LIMIT - 5), stream(100), stream(100), error)
    assert [out.output_type for out in outs] == ["stream", "stream", "error"]
    assert outs[1].text == f"xxxxx\n[output beyond {OUTPUT_LIMIT:,} bytes is not kept]\n"


def test_the_value_of_a_cell_is_kept_after_too_much_output(scratch: Path) -> None:
    outs = outputs(scratch, stream(OUTPUT_LIMIT + 1), value("0.5"))
    assert [out.output_type for out in outs] == ["stream", "execute_result"]
    assert outs[-1].data == {"text/plain": "0.5"}


def test_a_value_that_is_cut_is_no_number_and_values_cannot_flood(scratch: Path) -> None:
    long = value("1" + " " * 2 * OUTPUT_LIMIT, **{"text/html": "x" * OUTPUT_LIMIT})
    outs = outputs(scratch, *[long] * 5, stream(OUTPUT_LIMIT + 1))
    assert [out.output_type for out in outs] == ["execute_result", "execute_result", "stream"]
    assert len(outs[0].data["text/plain"]) < 2000
    assert outs[0].data["text/plain"].endswith("...")
    assert "is not kept" in outs[-1].text


@pytest.mark.parametrize("part", ["data", "metadata"])
def test_structured_output_counts_by_its_length(scratch: Path, part: str) -> None:
    large = message(
        "display_data", **({"data": {}, "metadata": {}} | {part: {"application/json": {"a": "x" * 600_000}}})
    )
    assert [out.output_type for out in outputs(scratch, large, large, large)] == ["display_data", "stream"]


def test_what_a_kernel_started_ends_with_it_also_when_it_dies_by_itself(scratch: Path) -> None:
    nb = b.notebook(
        b.code("starts", "import os, subprocess\nprint(subprocess.Popen(['sleep', '777']).pid)"),
        b.code("dies", "os._exit(1)"),
    )
    watched = client(nb, scratch)
    with (scratch / "log").open("w") as log, watched.kernel(scratch, log):
        watched.run_cell(0, 30)
        child = psutil.Process(int(nb.cells[0].outputs[0].text))
        assert child.cmdline() == ["sleep", "777"]
        with pytest.raises(DeadKernelError):
            watched.run_cell(1, 30)
    deadline = time.monotonic() + 10
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "it survived its kernel"
        time.sleep(0.05)
