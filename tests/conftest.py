"""What a test may need and this machine may lack: markers that skip with reason and remedy, counted at the end.

Also which tests of a distributed run stay together, and what a stopped server must not leave behind.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import shutil
import signal
import socket
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from w251lab import accelerator
from w251lab.grading import sandbox
from w251lab.grading.job import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xdist.scheduler import LoadScopeScheduling
    from xdist.workermanage import WorkerController

ROOT = Path(__file__).resolve().parents[1]
#: More have nothing to do: the longest group, a whole notebook's, bounds the run.
MOST_WORKERS = 8
#: Set to 1, or CI set to anything, has the tests run that take minutes, also in a run of the whole suite.
THOROUGH = "W251LAB_TEST_THOROUGH"
#: Key in pytest's cache of the tests that failed in a run shared among processes; `alone.py` reads it.
FAILED = "w251lab/failed"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_configure() -> None:
    """Have Ctrl-C back: a shell starts a background job with it ignored, and every process below inherits that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Before XGBoost is imported: its threads spin while they wait, at the cost of what else runs here.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def _gpu() -> str | None:
    machine = accelerator.describe()
    return None if machine.gpus else f"{machine.why_no_gpu}; {machine.gpu_remedy}"


def _unless(present: object, remedy: str) -> str | None:
    return None if present else remedy


def _sandbox() -> str | None:
    try:
        sandbox.check()
    except SandboxError as error:
        return f"{error.what} {error.remedy}"
    return None


# For each marker: None where this machine has the thing, else what is missing and the remedy. Asked once, when needed.
LACKING: dict[str, Callable[[], str | None]] = {
    "gpu": _gpu,
    "browser": lambda: _unless(
        any(map(shutil.which, CHROMIUM)), "no chromium on PATH; Debian, Ubuntu: apt-get install chromium"
    ),
    "weights": lambda: _unless(
        Path(os.environ.get("W251LAB_WEIGHTS", "/nowhere")).is_dir(),
        "they are on no package registry; download them and set W251LAB_WEIGHTS to their folder",
    ),
    "network": lambda: _unless(
        os.environ.get("W251LAB_TEST_NETWORK") == "1",
        "not asked to use it; set W251LAB_TEST_NETWORK=1 where a package registry can be reached",
    ),
    "sandbox": _sandbox,
    "torch": lambda: _unless(
        importlib.util.find_spec("torch"), "it is not installed; `make dev` on Python 3.11 or 3.12 brings it"
    ),
    "gfpgan": lambda: _unless(
        importlib.util.find_spec("gfpgan"),
        "it is not installed, and cannot be on Python 3.13 (pyproject.toml says why); `make dev PYTHON=python3.12`",
    ),
    "exporter": lambda: _unless(
        importlib.util.find_spec("onnxscript") and importlib.util.find_spec("efficientnet_lite_pytorch"),
        "the torch extra is not installed; uv pip install --editable '.[torch]'",
    ),
}


TAKES_MINUTES = f"needs thorough: it takes minutes, so CI runs it; set {THOROUGH}=1, or name its file"


@cache
def lacking(marker: str) -> str | None:
    """Why a test with ``marker`` cannot run on this machine, and the remedy; None where it can."""
    return LACKING[marker]() if marker in LACKING else None


def is_thorough(config: pytest.Config) -> bool:
    """Whether tests that take minutes run: where it was asked for, and where tests were chosen by path or marker."""
    if is_worker(config):
        return bool(config.workerinput["thorough"])
    asked = os.environ.get(THOROUGH) == "1" or os.environ.get("CI", "") not in ("", "0", "false")
    chosen = config.args_source is not pytest.Config.ArgsSource.TESTPATHS or "thorough" in config.getoption("markexpr")
    return asked or chosen


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Tell a process that shares the tests what only the first one knows: how the tests were chosen."""
    node.workerinput["thorough"] = is_thorough(node.config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    thorough = is_thorough(config)
    for item in items:
        for marker in item.iter_markers():
            if reason := lacking(marker.name):
                item.add_marker(pytest.mark.skip(reason=f"needs {marker.name}: {reason}"))
        if not thorough and item.get_closest_marker("thorough"):
            item.add_marker(pytest.mark.skip(reason=TAKES_MINUTES))
    if is_worker(config):
        for item in items:
            item.add_marker(pytest.mark.xdist_group(group(item.nodeid)))
        # Whole labs take longest: begun first, they do not have one worker end alone.
        items.sort(key=lambda item: item.get_closest_marker("labs") is None)


# --- sharing the tests among processes, with pytest-xdist -----------------------------------------------------------


def is_worker(config: pytest.Config) -> bool:
    """Whether this is one of the processes that share the tests."""
    return hasattr(config, "workerinput")


def group(nodeid: str) -> str:
    """What stays in one process: a file's tests, with their servers; of the labs a notebook's, with its runs."""
    file, _, test = nodeid.partition("::")
    notebook = re.search(r"\[(\d\d_\w+/\w+)", test) if file.startswith("tests/labs/") else None
    return notebook.group(1) if notebook else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """``-n auto``: one more than the cores that may be used. A test waits half of its time, for servers and kernels."""
    asked = "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ
    return None if asked else min(accelerator.describe().cores + 1, MOST_WORKERS)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling | None:
    """``--dist loadfile``, but for the groups: a marker's name is not passed on (pytest 9.2 with pytest-xdist 3.8)."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - not there with `-p no:xdist`

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    return Groups(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """One test on the GPU at a time: some look at how full its memory is."""
    if not is_worker(item.config) or item.get_closest_marker("gpu") is None or lacking("gpu"):
        return (yield)
    # Every worker's own folder is in the folder of the run.
    with Path(item.config.getoption("basetemp")).with_name("gpu.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        return (yield)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write down what failed in a run shared among processes, for ``alone.py``."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    cache = getattr(session.config, "cache", None)
    if is_worker(session.config) or reporter is None or cache is None:
        return
    unlucky = [*reporter.stats.get("failed", ()), *reporter.stats.get("error", ())]
    ids = dict.fromkeys(report.nodeid for report in unlucky)
    shared = session.config.getvalue("dist") != "no" if session.config.pluginmanager.hasplugin("xdist") else False
    cache.set(FAILED, list(ids) if shared else [])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    yield
    # The location that pytest puts before the reason would count one reason once per test.
    reasons = Counter(
        str(report.longrepr[2]).removeprefix("Skipped: ")
        if isinstance(report.longrepr, tuple)
        else str(report.longrepr)
        for report in terminalreporter.stats.get("skipped", [])
    )
    terminalreporter.section("skipped, by reason")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count:4d}  {reason}")
    if not reasons:
        terminalreporter.line("nothing was skipped")


@pytest.fixture
def root() -> Path:
    """The checkout."""
    return ROOT


def _traces(command: str) -> list[str]:
    found = re.search(r"shm-region-prefix-name=(\w+)", command)
    folder = re.search(r"--backend-directory=(.*?)/backends", command)
    assert found
    assert folder
    prefix = found.group(1)
    left = [str(block) for block in Path("/dev/shm").glob(f"{prefix}*")]  # noqa: S108
    left += [folder.group(1)] if Path(folder.group(1)).exists() else []
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = " ".join(process.info["cmdline"] or ())
        # The name of the run's blocks stands in the command line of the supervisor, the server and every stub.
        if prefix in words:
            left.append(f"process {process.info['pid']}: {words[:200]}")
    for port in re.findall(r"--\w+-port=(\d+)", command):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                left.append(f"port {port}")
    return left


@pytest.fixture(scope="session")
def remains() -> Callable[..., list[str]]:
    """What an embedded Triton server has left: processes, ports, shared memory, its folder; empty once all is gone.

    Takes the server's command line, and for how many seconds to wait until all is gone.
    """

    def look(command: str | tuple[str, ...], wait: float = 0.0) -> list[str]:
        words = command if isinstance(command, str) else "\n".join(command)
        deadline = time.monotonic() + wait
        while (left := _traces(words)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return left

    return look
