"""A server's metrics: from a record of a real server, and from one that runs."""

from __future__ import annotations

import dataclasses
import http.server
import math
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from w251lab.errors import UsageError, W251Error
from w251lab.triton import metrics, plots
from w251lab.triton.errors import ServerUnavailableError
from w251lab.triton.metrics import Snapshot, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from w251lab.triton.embedded import EmbeddedServer

MODEL = "efficientnet_lite0"
RECORD = (Path(__file__).parent / "data" / "metrics-2.51.0-cpu.txt").read_text()
# The GPU's lines as Triton writes them: one sample for each GPU, by its identifier.
GPU = """
# HELP nv_gpu_utilization GPU utilization rate [0.0 - 1.0)
# TYPE nv_gpu_utilization gauge
nv_gpu_utilization{gpu_uuid="GPU-b"} 0.25
nv_gpu_utilization{gpu_uuid="GPU-a"} 0.5
# TYPE nv_gpu_memory_total_bytes gauge
nv_gpu_memory_total_bytes{gpu_uuid="GPU-a"} 1000
# TYPE nv_gpu_memory_used_bytes gauge
nv_gpu_memory_used_bytes{gpu_uuid="GPU-a"} 250
# TYPE nv_gpu_power_usage gauge
nv_gpu_power_usage{gpu_uuid="GPU-a"} 75.5
# TYPE nv_gpu_power_limit gauge
nv_gpu_power_limit{gpu_uuid="GPU-a"} 700
# TYPE nv_energy_consumption counter
nv_energy_consumption{gpu_uuid="GPU-a"} ENERGY
"""


@pytest.fixture
def recorded() -> Snapshot:
    return Snapshot.parse(RECORD, time=100.0)


def test_the_record_of_a_real_server_is_read_number_by_number(recorded: Snapshot) -> None:
    model = recorded.model(MODEL)
    assert (model.request_success, model.inference_count, model.exec_count, model.pending) == (3, 6, 3, 0)
    assert model.request_failure == {"BACKEND": 0, "CANCELED": 0, "OTHER": 0, "REJECTED": 0}
    assert model.average_batch == 2.0
    assert (model.request_us, model.queue_us) == (254037, 682)
    assert (model.compute_input_us, model.compute_infer_us, model.compute_output_us) == (7663, 227861, 17768)
    assert not recorded.has_gpu
    assert recorded.host.memory_total_bytes == 25276518400
    assert recorded.host.pinned_total_bytes == 268435456


def test_latency_is_divided_by_requests_or_by_rows(recorded: Snapshot) -> None:
    model = recorded.model(MODEL)
    split = model.latency()
    assert split.infer == pytest.approx(227.861 / 3)
    assert split.total == pytest.approx(254.037 / 3)
    assert split.other == pytest.approx((254037 - 682 - 7663 - 227861 - 17768) / 3000)
    assert model.latency("inference").infer == pytest.approx(split.infer / 2)
    with pytest.raises(UsageError, match="per 'row'"):
        model.latency("row")  # type: ignore[arg-type]


def test_before_the_first_request_averages_are_not_numbers() -> None:
    fresh = metrics.ModelMetrics("m")
    assert math.isnan(fresh.average_batch)
    assert math.isnan(fresh.latency().total)
    empty = Snapshot(0.0, {"m": fresh}, {}, metrics.HostMetrics())
    with pytest.raises(W251Error, match="No model has answered"):
        empty.plot()


def test_versions_and_gpus_of_a_model_are_added_up() -> None:
    text = (
        "# TYPE nv_inference_count counter\n"
        'nv_inference_count{model="m",version="1"} 3\n'
        'nv_inference_count{gpu_uuid="GPU-a",model="m",version="2"} 4\n'
        "# TYPE nv_inference_request_failure counter\n"
        'nv_inference_request_failure{model="m",reason="BACKEND",version="1"} 1\n'
        'nv_inference_request_failure{model="m",reason="BACKEND",version="2"} 2\n'
        'nv_inference_request_failure{model="m",reason="OTHER",version="2"} 5\n'
        "# TYPE nv_cache_num_hits_per_model counter\n"
        'nv_cache_num_hits_per_model{model="m",version="1"} 7\n'
    )
    model = Snapshot.parse(text).model("m")
    assert model.inference_count == 7
    assert model.request_failure == {"BACKEND": 3, "OTHER": 5}
    assert model.failures == 8
    assert model.cache_hits == 7


def test_gpus_are_told_apart_and_energy_is_a_difference() -> None:
    before = Snapshot.parse(RECORD + GPU.replace("ENERGY", "1000.5"), time=1.0)
    after = Snapshot.parse(RECORD + GPU.replace("ENERGY", "1060.5"), time=3.0)
    assert after.has_gpu
    assert list(after.gpus) == ["GPU-a", "GPU-b"]
    gpu = after.gpus["GPU-a"]
    assert (gpu.utilization, gpu.memory_used_bytes / gpu.memory_total_bytes) == (0.5, 0.25)
    assert (gpu.power_usage_watts, gpu.power_limit_watts) == (75.5, 700)
    assert math.isnan(after.gpus["GPU-b"].power_usage_watts)
    spent = after - before
    assert spent.gpus["GPU-a"].energy_joules == pytest.approx(60)
    assert spent.gpus["GPU-a"].utilization == 0.5
    assert spent.seconds == 2.0
    assert "GPU-a" in after.table()
    assert list(after.gpu_frame().index) == ["GPU-a", "GPU-b"]


@pytest.mark.parametrize("name", ["request_success", "exec_count", "queue_us"])
def test_a_counter_that_goes_backwards_is_an_error(recorded: Snapshot, name: str) -> None:
    model = recorded.model(MODEL)
    earlier = dataclasses.replace(model, **{name: getattr(model, name) + 1})
    with pytest.raises(W251Error, match=f"{name}.*backwards.*\n.*anew"):
        model - earlier


def test_a_failure_that_goes_backwards_is_an_error(recorded: Snapshot) -> None:
    model = recorded.model(MODEL)
    earlier = dataclasses.replace(model, request_failure={"BACKEND": 1})
    with pytest.raises(W251Error, match="BACKEND"):
        model - earlier


def test_a_model_loaded_in_between_counts_from_its_load(recorded: Snapshot) -> None:
    before = dataclasses.replace(recorded, models={"gone": metrics.ModelMetrics("gone", inference_count=9)})
    spent = recorded - before
    assert list(spent.models) == [MODEL]
    assert spent.model(MODEL).inference_count == 6


def test_an_unknown_model_is_named_with_those_there_are(recorded: Snapshot) -> None:
    with pytest.raises(UsageError, match=f"'resnet'.*\n.*{MODEL}"):
        recorded.model("resnet")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no name begins with nv_"),
        ("<html><body>not found</body></html>", "not Prometheus text"),
        ('{"error": "x"}', "not Prometheus text"),
        ("python_info 1.0\n", "no name begins with nv_"),
        ("nv_inference_count{model=", "not Prometheus text"),
    ],
)
def test_what_is_not_tritons_metrics_is_refused(text: str, words: str) -> None:
    with pytest.raises(ServerUnavailableError, match=words):
        Snapshot.parse(text)


def test_the_frame_has_a_row_for_each_model_and_the_table_is_plain(recorded: Snapshot) -> None:
    frame = recorded.to_frame()
    assert frame.loc[MODEL, "inferences"] == 6
    assert frame.loc[MODEL, "infer_ms"] == pytest.approx(75.9537, abs=1e-3)
    table = recorded.table()
    assert MODEL in table
    assert "no GPU" in table
    assert "no model is loaded" in dataclasses.replace(recorded, models={}).table()


def test_the_plot_shows_the_parts_to_scale(recorded: Snapshot) -> None:
    figure = recorded.plot()
    (axes,) = figure.axes
    split = recorded.model(MODEL).latency()
    widths = [container[0].get_width() for container in axes.containers]
    assert widths == pytest.approx([split.queue, split.input, split.infer, split.output])
    ends = split.total - split.other
    assert f"{ends:.2f} ms" in [text.get_text() for text in axes.texts]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(plots.PARTS)


def test_a_running_server_counts_what_was_asked_of_it(shared_server: EmbeddedServer) -> None:
    images = np.zeros((2, 3, 224, 224), np.float32)
    before = snapshot(shared_server)
    with shared_server.client("grpc") as client:
        for _ in range(3):
            client.infer(MODEL, {"images": images})
    spent = (snapshot(f"http://{shared_server.metrics}/metrics") - before).model(MODEL)
    assert (spent.request_success, spent.inference_count, spent.exec_count) == (3, 6, 3)
    assert spent.average_batch == 2.0
    split = spent.latency()
    assert split.infer > 1
    assert split.queue + split.input + split.infer + split.output <= split.total


def test_the_other_endpoints_are_not_the_metrics_endpoint(shared_server: EmbeddedServer) -> None:
    with pytest.raises(ServerUnavailableError, match=r"answers 4\d\d.*\n.*server.metrics"):
        snapshot(shared_server.http)
    with pytest.raises(ServerUnavailableError, match="No metrics endpoint answers"):
        snapshot(shared_server.grpc, timeout=2)
    with pytest.raises(ServerUnavailableError, match="refused"):
        snapshot("127.0.0.1:1")


@pytest.mark.parametrize("address", ["", "https://127.0.0.1:8002", "127.0.0.1:port", "127.0.0.1:99999"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="not the address"):
        snapshot(address)


@pytest.fixture
def web_page() -> Iterator[str]:
    """A web server that is not Triton."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_another_web_server_is_not_taken_for_triton(web_page: str) -> None:
    with pytest.raises(ServerUnavailableError, match="<html>hello"):
        snapshot(web_page)
