"""Sweeps against a real server, the load generator's loop, and perf_analyzer's recorded reports."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import math
import re
import secrets
import shlex
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest

from w251lab.errors import UsageError, W251Error
from w251lab.triton import load, load_generator, perf_analyzer, repository, server
from w251lab.triton.errors import InferenceFailedError, InvalidRequestError, ServerUnavailableError, UnknownModelError
from w251lab.triton.load import Level, LoadResult
from w251lab.triton.load_generator import Task
from w251lab.triton.metrics import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from w251lab.triton.client import Protocol
    from w251lab.triton.description import PythonModel
    from w251lab.triton.embedded import EmbeddedServer

MODEL = "efficientnet_lite0"
DATA = Path(__file__).parent / "data"


@pytest.fixture
def without_perf_analyzer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(perf_analyzer.ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


# --- sweeps -----------------------------------------------------------------------------------------------------------


def test_a_sweep_measures_each_level(shared_server: EmbeddedServer, protocol: Protocol) -> None:
    seen: list[Level] = []
    before = snapshot(shared_server)
    result = load.sweep(
        shared_server,
        MODEL,
        [1, 3],
        protocol=protocol,
        requests=12,
        batch_size=2,
        warmup=0,
        tool="client",
        on_level=seen.append,
    )
    spent = (snapshot(shared_server) - before).model(MODEL)
    assert seen == list(result.levels)
    assert (result.protocol, result.batch_size, result.tool) == (protocol, 2, load.CLIENT_TOOL)
    assert result.device.startswith("CPU (")
    for level in result.levels:
        assert (level.requests, level.errors, level.messages) == (12, 0, ())
        assert level.throughput == pytest.approx(12 * 2 / level.seconds)
        assert 0 < level.p50_ms <= level.p90_ms <= level.p95_ms <= level.p99_ms
        assert level.infer_ms > 0.1, "no machine is as fast as that: it would be another unit"
        assert level.average_batch == 2  # without dynamic batching each request runs alone
    # The server's time for the levels is within its time for everything. A request that was under way when a level
    # began may be counted with what was before. The client's clock says nothing here: the machine may be busy.
    counted = [level.infer_ms * (level.requests - level.concurrency) for level in result.levels]
    assert sum(counted) <= spent.compute_infer_us / 1000
    # Everything that was sent was counted by the server: the probe, the warm-up and the last requests, too.
    assert spent.failures == 0
    # How many of those there are depends on how busy the machine is, but they are fewer than what was measured.
    assert 2 * 12 < spent.request_success < 2 * 2 * 12


def test_dynamic_batching_shows_in_the_average_batch(shared_server: EmbeddedServer) -> None:
    result = load.sweep(shared_server, "batching", [8], requests=32, tool="client")
    assert result.levels[0].average_batch > 4
    assert result.levels[0].queue_ms > 0


def test_seconds_bound_a_level(shared_server: EmbeddedServer) -> None:
    one = {"X": np.ones((1, 8), np.float32)}
    result = load.sweep(shared_server, "double", [2], seconds=0.4, warmup=0.1, inputs=one, tool="client")
    assert 0.39 < result.levels[0].seconds < 3, "3 without the argument; the rest is for a busy machine"
    assert result.levels[0].requests > 0


def test_inputs_in_shared_memory_give_the_same_and_leave_nothing(
    shared_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[str] = []  # the names' random parts: other tests may have blocks of the kind at the same time

    def token_hex(count: int) -> str:
        chosen.append(draw(count))
        return chosen[-1]

    draw = secrets.token_hex
    monkeypatch.setattr(secrets, "token_hex", token_hex)
    result = load.sweep(shared_server, MODEL, [2], requests=6, shared_memory=True, tool="client")
    assert (result.levels[0].requests, result.levels[0].errors) == (6, 0)
    assert result.protocol == "grpc with shared memory"
    assert chosen
    assert not [block for block in Path("/dev/shm").iterdir() if any(name in block.name for name in chosen)]  # noqa: S108


def test_a_sweep_runs_where_an_event_loop_runs_already(shared_server: EmbeddedServer) -> None:
    """As in a notebook's kernel."""

    async def cell() -> LoadResult:
        return load.sweep(shared_server.grpc, MODEL, [1], requests=3, tool="client")

    assert asyncio.run(cell()).levels[0].requests == 3


def test_files_of_the_working_directory_are_not_taken_for_modules(
    shared_server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "struct.py").write_text("raise SystemExit('the wrong struct')")
    (tmp_path / "asyncio.py").write_text("raise SystemExit('the wrong asyncio')")
    monkeypatch.chdir(tmp_path)
    assert load.sweep(shared_server, MODEL, [1], requests=3, tool="client").levels[0].requests == 3


def test_auto_takes_perf_analyzer_where_it_is_installed(shared_server: EmbeddedServer) -> None:
    result = load.sweep(shared_server, MODEL, [2], seconds=1)
    assert result.tool.startswith("perf_analyzer" if perf_analyzer.find() else "tritonclient")
    assert result.levels[0].requests > 0


@pytest.mark.usefixtures("without_perf_analyzer")
def test_perf_analyzer_is_refused_where_it_is_not_installed(shared_server: EmbeddedServer) -> None:
    with pytest.raises(UsageError, match=r"not installed here.*\n.*tool='client'"):
        load.sweep(shared_server, MODEL, [1], tool="perf_analyzer")
    assert load.sweep(shared_server, MODEL, [1], requests=2).tool == load.CLIENT_TOOL


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"concurrencies": []}, "requests in flight"),
        ({"concurrencies": [1, 0]}, "1 to 1024"),
        ({"concurrencies": [2000]}, "1 to 1024"),
        ({"seconds": 0}, "more than 0"),
        ({"seconds": math.nan}, "more than 0"),
        ({"seconds": 3600}, "at most 600"),
        ({"requests": 0}, "1 to 100000"),
        ({"requests": 10**7}, "1 to 100000"),
        ({"warmup": -1}, "0 to 600"),
        ({"tool": "ab"}, "auto, perf_analyzer or client"),
        ({"protocol": "ftp"}, "http or grpc"),
        ({"batch_size": 0}, "1 to 8"),
        ({"batch_size": 9}, "1 to 8"),
        ({"version": "x"}, "version"),
    ],
)
def test_an_argument_out_of_range_is_refused(
    shared_server: EmbeddedServer, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        load.sweep(shared_server, MODEL, **{"tool": "client", "requests": 1, **arguments})


def test_what_cannot_be_measured_is_refused_before_any_load(shared_server: EmbeddedServer) -> None:
    with pytest.raises(UnknownModelError, match=MODEL):
        load.sweep(shared_server, "efficientnet", [1], tool="client")
    with pytest.raises(InvalidRequestError, match="shape"):
        load.sweep(shared_server, MODEL, [1], inputs={"images": np.zeros((1, 3), np.float32)}, tool="client")
    with pytest.raises(UsageError, match=r"axis of any length.*\n.*inputs="):
        load.sweep(shared_server, "double", [1], tool="client")
    with pytest.raises(ServerUnavailableError, match=re.escape("127.0.0.1:1")):
        load.sweep("127.0.0.1:1", MODEL, [1], tool="client")


def test_a_server_that_ends_under_load_is_an_error(double: PythonModel, tmp_path: Path, protocol: Protocol) -> None:
    repository.write(tmp_path / "models", [double])
    one = {"X": np.ones((1, 4), np.float32)}
    with server.start(tmp_path / "models") as running:
        (triton,) = (p for p in psutil.Process().children(recursive=True) if running.http.split(":")[1] in _words(p))
        killer = threading.Timer(0.7, triton.kill)

        def start_killer(_level: Level) -> None:
            killer.start()

        begin = time.monotonic()
        with pytest.raises(ServerUnavailableError, match="stopped answering under load"):
            load.sweep(
                running,
                "double",
                [1, 2],
                protocol=protocol,
                seconds=2,
                warmup=0.2,
                inputs=one,
                tool="client",
                on_level=start_killer,
            )
        killer.join()
        assert time.monotonic() - begin < 40


def _words(process: psutil.Process) -> str:
    """The command line of a tritonserver; nothing for another process."""
    return " ".join(process.cmdline()) if process.name() == "tritonserver" else ""


# --- requests that are made -------------------------------------------------------------------------------------------


def test_a_made_request_fits_the_model_and_depends_on_the_seed_alone() -> None:
    config = repository.config(
        repository.PythonModel(
            name="m",
            inputs=(
                repository.Tensor("F", (2, 3)),
                repository.Tensor("I", (4,), "INT64"),
                repository.Tensor("B", (1,), "BOOL"),
                repository.Tensor("T", (2,), "BYTES"),
            ),
            outputs=(repository.Tensor("Y", (1,)),),
            max_batch_size=4,
            versions={1: Path("model.py")},
        )
    )
    made = load.sample_inputs(config, batch_size=3, seed=5)
    assert {name: (array.shape, str(array.dtype)) for name, array in made.items()} == {
        "F": ((3, 2, 3), "float32"),
        "I": ((3, 4), "int64"),
        "B": ((3, 1), "bool"),
        "T": ((3, 2), "object"),
    }
    again = load.sample_inputs(config, batch_size=3, seed=5)
    assert all((made[name] == again[name]).all() for name in made)
    assert not (made["F"] == load.sample_inputs(config, batch_size=3, seed=6)["F"]).all()
    task, inputs = load_generator.unpack(io.BytesIO(load_generator.pack(Task("h:1", "grpc", "m", (1, 2)), made)))
    assert task == Task("h:1", "grpc", "m", (1, 2))
    assert inputs["T"].tolist() == [[b"w251lab", b"w251lab"]] * 3
    assert (inputs["F"] == made["F"]).all()


# --- the loop ---------------------------------------------------------------------------------------------------------


class Recorder:
    """Takes 5 ms for each request, fails every ``fails``-th, and notes how many are under way."""

    def __init__(self, fails: int = 0) -> None:
        self.under_way = 0
        self.seen: set[int] = set()
        self.sent = 0
        self.fails = fails

    async def send(self) -> None:
        self.sent += 1
        number = self.sent
        self.under_way += 1
        await asyncio.sleep(0.005)
        self.seen.add(self.under_way)
        self.under_way -= 1
        if self.fails and number % self.fails == 0:
            raise ConnectionError("planted")

    async def statistics(self) -> dict[str, Any]:
        return {}

    async def close(self) -> None:
        pass


def test_exactly_n_requests_are_in_flight_and_all_are_waited_for() -> None:
    recorder = Recorder()
    task = Task("", "", "", (4,), warmup=0.02, seconds=10, requests=40)
    found = asyncio.run(load_generator.measure(recorder, task, 4))
    assert max(recorder.seen) == 4
    assert recorder.under_way == 0
    assert (len(found.latencies_ms), found.errors) == (40, 0)
    assert found.sent == recorder.sent > 40 + 4  # the warm-up's are not in the measurement
    assert min(found.latencies_ms) >= 4.5


def test_failed_requests_are_counted_and_told_and_are_no_throughput() -> None:
    task = Task("", "", "", (2,), warmup=0, seconds=10, requests=40)
    found = asyncio.run(load_generator.measure(Recorder(fails=4), task, 2))
    assert len(found.latencies_ms) + found.errors == 40
    assert found.errors == pytest.approx(10, abs=2)
    assert found.messages == ["planted"]


def test_a_level_without_an_answer_has_no_latency() -> None:
    task = Task("", "", "", (1,), warmup=0, seconds=0.1)
    found = asyncio.run(load_generator.measure(Recorder(fails=1), task, 1))
    level = load._level(dataclasses.replace(found, statistics=[{}, {}]), "m", 1)
    assert level.throughput == 0
    assert level.errors > 0
    assert math.isnan(level.p50_ms)
    assert math.isnan(level.average_batch)


def test_the_generator_says_so_when_it_ends_by_itself() -> None:
    task = Task("127.0.0.1:1", "grpc", "m", (1,))
    with pytest.raises(W251Error, match=r"ended by itself:\n.*planted"):
        list(load.generate(task, {}, ("-c", "raise SystemExit('planted')")))


def test_the_generator_is_stopped_with_its_reader() -> None:
    found = load_generator.Measured(1, 1.0, [1.0], 0, [], [{}, {}], 0.1, 1)
    program = ("-c", f"import time; print({json.dumps(dataclasses.asdict(found))!r}, flush=True); time.sleep(60)")
    levels = load.generate(Task("127.0.0.1:1", "grpc", "m", (1, 2)), {}, program)
    before = set(psutil.Process().children())
    assert next(levels) == found
    (generator,) = set(psutil.Process().children()) - before
    levels.close()
    assert not generator.is_running()


# --- records ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def result() -> LoadResult:
    levels = [
        Level(n, 10, 0, 1.0, rate, 1.0, 2.0, 3.0, 4.0, 1.5, 0.1, 0.2, 0.3, 0.4) for n, rate in ((1, 10.0), (2, 20.0))
    ]
    last = dataclasses.replace(levels[1], concurrency=4, average_batch=math.nan, errors=1, messages=("bad",))
    return LoadResult("m", "grpc", 1, "tool", "CPU", (*levels, last))


def test_the_best_level_is_the_first_with_the_highest_throughput(result: LoadResult) -> None:
    assert result.best.concurrency == 2


def test_a_result_is_json_and_comes_back(result: LoadResult) -> None:
    text = result.to_json()
    assert json.loads(text)["levels"][2]["average_batch"] is None
    again = LoadResult.from_json(text)
    assert again.to_json() == text
    assert again.levels[:2] == result.levels[:2]
    assert again.levels[2].messages == ("bad",)
    for wrong in ("{}", "[]", "x", '{"levels": [{"concurrency": 1}]}'):
        with pytest.raises(W251Error, match="not a record of a sweep"):
            LoadResult.from_json(wrong)


def test_the_frame_and_the_plot_show_every_level(result: LoadResult) -> None:
    frame = result.to_frame()
    assert frame.index.tolist() == [1, 2, 4]
    assert frame.loc[2, "throughput"] == 20
    figure = result.plot()
    above, below = figure.axes
    assert above.lines[0].get_ydata().tolist() == [10, 20, 20]
    assert len(below.lines) == 4
    assert "CPU" in figure.get_suptitle()
    assert "tool" in figure.get_suptitle()


# --- perf_analyzer ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("protocol", "rate", "p99", "batch"), [("grpc", 110.22, 179.006, 408 / 97), ("http", 135.894, 108.528, 498 / 119)]
)
def test_a_recorded_report_is_read_number_by_number(protocol: str, rate: float, p99: float, batch: float) -> None:
    record = DATA / f"perf_analyzer-2.45.0-{protocol}"
    level = perf_analyzer.parse(
        record.with_name(record.name + ".csv").read_text(), record.with_name(record.name + ".txt").read_text(), 2
    )
    assert (level.concurrency, level.throughput, level.p99_ms) == (4, rate, p99)
    assert level.average_batch == pytest.approx(batch)
    assert level.seconds == pytest.approx(level.requests * 2 / rate)
    if protocol == "grpc":
        assert (level.queue_ms, level.input_ms, level.infer_ms, level.output_ms) == (21.015, 0.428, 42.203, 1.3)


@pytest.mark.parametrize("report", ["", "Concurrency\n1\n", "<html>"])
def test_what_is_no_report_is_refused_with_what_was_said(report: str) -> None:
    with pytest.raises(W251Error, match=r"cannot be read.*\n.*some words"):
        perf_analyzer.parse(report, "some words", 1)


def test_arguments_end_a_level_by_time_or_by_count() -> None:
    config = repository.config(
        repository.PythonModel(
            name="m",
            inputs=(repository.Tensor("X", (2,)), repository.Tensor("T", (1,), "BYTES")),
            outputs=(repository.Tensor("Y", (100_000,)),),
            max_batch_size=4,
            versions={1: Path("model.py")},
        )
    )
    by_time = perf_analyzer.arguments(Task("h:1", "grpc", "m", (3,), seconds=3), config, 3, 2)
    assert by_time[by_time.index("-p") + 1] == "1000"
    assert "--measurement-mode" not in by_time
    by_count = perf_analyzer.arguments(
        Task("h:1", "http", "m", (3,), requests=10, regions={"X": ("r", 8)}, version="2"), config, 3, 2
    )
    assert by_count[by_count.index("--measurement-request-count") + 1] == "4"
    assert by_count[by_count.index("--output-shared-memory-size") + 1] == str(2 * 100_000 * 4)
    assert by_count[by_count.index("-x") + 1] == "2"
    rows = perf_analyzer.input_data(
        config, {"X": np.array([[1, 2], [3, 4]], np.float32), "T": np.array([[b"a"], [b"b"]], np.object_)}
    )
    assert [row["T"] for row in rows["data"]] == [{"content": ["a"], "shape": [1]}, {"content": ["b"], "shape": [1]}]
    assert rows["data"][1]["X"] == {"content": {"b64": "AABAQAAAgEA="}, "shape": [2]}


@pytest.mark.usefixtures("without_perf_analyzer")
def test_a_variable_that_names_no_program_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert perf_analyzer.find() is None
    monkeypatch.setenv(perf_analyzer.ENVIRONMENT_VARIABLE, "/nowhere/perf_analyzer")
    with pytest.raises(UsageError, match=perf_analyzer.ENVIRONMENT_VARIABLE):
        perf_analyzer.find()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Any]:
    """Makes a program that says something and ends with a status."""

    def make(script: str) -> Path:
        file = tmp_path / "perf_analyzer"
        # A shebang line cannot name an interpreter in a folder with spaces; a shell can start it.
        code = shlex.quote(f"import sys, time\n{script}")
        file.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {code}\n")
        file.chmod(0o755)
        return file

    return make


def test_what_perf_analyzer_complains_of_is_told(program: Any) -> None:
    with pytest.raises(InferenceFailedError, match=r"gave up.*\nerror: failed to get model metadata"):
        perf_analyzer.version(program("sys.exit('WARNING: x\\nerror: failed to get model metadata')"))
    with pytest.raises(W251Error, match=re.escape("libb64.so.0d")):
        perf_analyzer.version(
            program("print('error while loading shared libraries: libb64.so.0d', file=sys.stderr); sys.exit(127)")
        )
    assert (
        perf_analyzer.version(program("print('Perf Analyzer Version 2.45.0 (commit 3c1eb13)')"))
        == "perf_analyzer 2.45.0"
    )
    with pytest.raises(ServerUnavailableError, match="did not end within"):
        perf_analyzer._run([str(program("time.sleep(60)"))], 0.5)
    (other := program("")).chmod(0o644)
    with pytest.raises(W251Error, match="does not run"):
        perf_analyzer.version(other)
