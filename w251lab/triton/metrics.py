"""What a Triton server has counted, from its Prometheus endpoint: requests, batches, latency, GPU, memory.

The names of the metrics are those of "Metrics" in the Triton Inference Server user guide. Counters count from the
moment a model was loaded; take the difference of two snapshots to know what happened between two moments::

    before = snapshot(server)
    ...
    spent = snapshot(server) - before
    spent.models["resnet"].average_batch

The server refreshes the figures of GPU, CPU and memory every two seconds unless told otherwise
(``--metrics-interval-ms``), the counts with every request.
"""

from __future__ import annotations

import dataclasses
import http.client
import math
import time as clock
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pandas as pd
from prometheus_client.parser import text_string_to_metric_families

from w251lab.errors import UsageError
from w251lab.triton.errors import ServerUnavailableError
from w251lab.triton.model_metrics import COUNTERS, NAN, LatencySplit, ModelMetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from matplotlib.figure import Figure
    from prometheus_client.samples import Sample

    from w251lab.triton.model_metrics import Per
    from w251lab.triton.server import Server

__all__ = ["GpuMetrics", "HostMetrics", "LatencySplit", "ModelMetrics", "Snapshot", "fetch", "snapshot"]


@dataclass(frozen=True)
class GpuMetrics:
    """One GPU that the server sees; NaN for what it does not report.

    Attributes:
        uuid: The GPU's identifier, as ``nvidia-smi -L`` gives it.
        utilization: Part of the last second in which a kernel ran, 0 to 1.
        memory_total_bytes: Its memory.
        memory_used_bytes: What is taken of it, by every process.
        power_usage_watts: What it draws.
        power_limit_watts: What it may draw.
        energy_joules: What it has used since the server's start.
    """

    uuid: str
    utilization: float = NAN
    memory_total_bytes: float = NAN
    memory_used_bytes: float = NAN
    power_usage_watts: float = NAN
    power_limit_watts: float = NAN
    energy_joules: float = NAN


@dataclass(frozen=True)
class HostMetrics:
    """The server's machine; NaN for what the server does not report.

    Attributes:
        cpu_utilization: Part of all cores' time that was busy, 0 to 1.
        memory_total_bytes: The machine's memory.
        memory_used_bytes: What is taken of it.
        pinned_total_bytes: Triton's pool of pinned memory; 0 without a GPU.
        pinned_used_bytes: What is taken of that pool.
    """

    cpu_utilization: float = NAN
    memory_total_bytes: float = NAN
    memory_used_bytes: float = NAN
    pinned_total_bytes: float = NAN
    pinned_used_bytes: float = NAN


# Triton's name of a metric -> our attribute.
_MODEL = {**COUNTERS, "nv_inference_pending_request_count": "pending"}
_GPU = {
    "nv_gpu_utilization": "utilization",
    "nv_gpu_memory_total_bytes": "memory_total_bytes",
    "nv_gpu_memory_used_bytes": "memory_used_bytes",
    "nv_gpu_power_usage": "power_usage_watts",
    "nv_gpu_power_limit": "power_limit_watts",
    "nv_energy_consumption": "energy_joules",
}
_HOST = {
    "nv_cpu_utilization": "cpu_utilization",
    "nv_cpu_memory_total_bytes": "memory_total_bytes",
    "nv_cpu_memory_used_bytes": "memory_used_bytes",
    "nv_pinned_memory_pool_total_bytes": "pinned_total_bytes",
    "nv_pinned_memory_pool_used_bytes": "pinned_used_bytes",
}


@dataclass(frozen=True)
class Snapshot:
    """A server's metrics at one moment, or what was counted between two.

    Attributes:
        time: When it was read, in seconds since 1970.
        models: For each loaded model its counts, by name.
        gpus: For each GPU that the server sees its figures, by identifier.
        host: The server's machine.
        seconds: 0 for a moment; for a difference the seconds between its two moments.
    """

    time: float
    models: Mapping[str, ModelMetrics]
    gpus: Mapping[str, GpuMetrics]
    host: HostMetrics
    seconds: float = 0.0

    @classmethod
    def parse(cls, text: str, time: float = NAN) -> Snapshot:
        """Read the text of a metrics endpoint, from a server or from a record of one.

        Args:
            text: In Prometheus' text format.
            time: When it was read, in seconds since 1970.

        Raises:
            ServerUnavailableError: It is not Prometheus text, or none of it is Triton's.
        """
        try:
            families = list(text_string_to_metric_families(text))
        except (ValueError, KeyError, IndexError) as error:
            raise ServerUnavailableError(
                f"This is not Prometheus text: it begins {text.strip()[:60]!r}.", _USE_METRICS_PORT
            ) from error
        if not any(family.name.startswith("nv_") for family in families):
            raise ServerUnavailableError(
                f"These are not the metrics of a Triton server: no name begins with nv_, the text with "
                f"{text.strip()[:60]!r}.",
                _USE_METRICS_PORT,
            )
        # The parser gives a counter the suffix that OpenMetrics asks for; Triton's names have none.
        samples = [s._replace(name=s.name.removesuffix("_total")) for family in families for s in family.samples]
        host = {_HOST[s.name]: float(s.value) for s in samples if s.name in _HOST}
        return cls(time, _models(samples), _gpus(samples), HostMetrics(**host))

    @property
    def has_gpu(self) -> bool:
        """Whether the server sees a GPU. It runs a model there only if the model's instances say so."""
        return bool(self.gpus)

    def model(self, name: str) -> ModelMetrics:
        """One model's counts.

        Raises:
            UsageError: The server has not loaded such a model.
        """
        if name not in self.models:
            raise UsageError(
                f"The metrics do not know a model {name!r}.", f"They have: {', '.join(self.models) or 'no model'}."
            )
        return self.models[name]

    def __sub__(self, earlier: Snapshot) -> Snapshot:
        """What was counted since ``earlier``: ``later - earlier``. Gauges stay this moment's, energy is a difference.

        A model loaded in between counts from its load; one unloaded in between is left out.

        Raises:
            W251Error: A counter went backwards: the server was started, or a model loaded, anew in between.
        """
        models = {
            name: model - earlier.models[name] if name in earlier.models else model
            for name, model in self.models.items()
        }
        gpus = {
            uuid: dataclasses.replace(gpu, energy_joules=gpu.energy_joules - earlier.gpus[uuid].energy_joules)
            if uuid in earlier.gpus
            else gpu
            for uuid, gpu in self.gpus.items()
        }
        return Snapshot(self.time, models, gpus, self.host, self.time - earlier.time)

    def to_frame(self, per: Per = "request") -> pd.DataFrame:
        """One row for each model: its counts, and the parts of its latency in milliseconds.

        Args:
            per: See :meth:`ModelMetrics.latency`.
        """
        rows = [
            {
                "requests": model.request_success,
                "failures": model.failures,
                "inferences": model.inference_count,
                "executions": model.exec_count,
                "average_batch": model.average_batch,
                "pending": model.pending,
                **{f"{part}_ms": ms for part, ms in dataclasses.asdict(model.latency(per)).items()},
            }
            for model in self.models.values()
        ]
        return pd.DataFrame(rows, index=pd.Index(list(self.models), name="model"))

    def gpu_frame(self) -> pd.DataFrame:
        """One row for each GPU; empty without one."""
        columns = [f.name for f in dataclasses.fields(GpuMetrics)]
        return pd.DataFrame([dataclasses.asdict(gpu) for gpu in self.gpus.values()], columns=columns).set_index("uuid")

    def table(self, per: Per = "request") -> str:
        """:meth:`to_frame` as plain text, then a line for each GPU."""
        lines = [self.to_frame(per).round(3).to_string() if self.models else "no model is loaded"]
        lines += [str(self.gpu_frame().to_string())] if self.gpus else ["no GPU"]
        return "\n".join(lines)

    def plot(self, per: Per = "request") -> Figure:
        """The latency of each model as a stacked bar: queue, input, infer, output.

        Args:
            per: See :meth:`ModelMetrics.latency`.

        Returns:
            A figure of its own; a notebook shows it as a cell's last value.

        Raises:
            W251Error: No model has answered a request.
        """
        from w251lab.triton import plots  # matplotlib takes half a second to import  # noqa: PLC0415

        return plots.latency_split({name: m.latency(per) for name, m in self.models.items()}, per)


def snapshot(server: Server | str, timeout: float = 10.0) -> Snapshot:
    """Read a server's metrics now.

    Args:
        server: A server, or the address of its metrics endpoint: ``host:port``, or the whole URL.
        timeout: Seconds until it must answer.

    Raises:
        ServerUnavailableError: Nothing answers there, or not with Triton's metrics.
        UsageError: It is not an address.
    """
    text = fetch(server, timeout)
    return Snapshot.parse(text, clock.time())


def fetch(server: Server | str, timeout: float = 10.0) -> str:
    """The text of a server's metrics endpoint, for a record. Arguments and errors as in :func:`snapshot`."""
    url = server if isinstance(server, str) else server.metrics
    parts = urlsplit(url if "://" in url else f"http://{url}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme != "http" or not host:
        raise UsageError(
            f"{url!r} is not the address of a metrics endpoint.", "Give host:port, such as 127.0.0.1:8002."
        )
    connection = http.client.HTTPConnection(host, port or 8002, timeout=timeout)
    try:
        connection.request("GET", parts.path if parts.path.strip("/") else "/metrics")
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise ServerUnavailableError(f"No metrics endpoint answers at {url}: {error!r}.", _USE_METRICS_PORT) from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise ServerUnavailableError(f"{url} answers {answer.status} {answer.reason}, not metrics.", _USE_METRICS_PORT)
    return text


_USE_METRICS_PORT = "Give the address of Triton's metrics endpoint (server.metrics; port 8002 unless told otherwise)."


def _models(samples: Iterable[Sample]) -> dict[str, ModelMetrics]:
    counts: dict[str, dict[str, float]] = {}
    failures: dict[str, dict[str, int]] = {}
    for sample in samples:
        name = sample.labels.get("model", "")
        if sample.name in _MODEL and name:
            # A model has a sample for each of its versions, and for each GPU it runs on.
            mine = counts.setdefault(name, {})
            mine[_MODEL[sample.name]] = mine.get(_MODEL[sample.name], 0) + sample.value
        elif sample.name == "nv_inference_request_failure" and name:
            reasons = failures.setdefault(name, {})
            reason = sample.labels.get("reason", "OTHER")
            reasons[reason] = reasons.get(reason, 0) + int(sample.value)
    kinds: dict[str, Callable[[float], float]] = {
        name: (float if name.endswith("_us") else int) for name in _MODEL.values()
    }
    return {
        name: ModelMetrics(
            name,
            request_failure=failures.get(name, {}),
            **{key: kinds[key](value) for key, value in counts.get(name, {}).items()},  # type: ignore[arg-type]
        )
        for name in sorted({*counts, *failures})
    }


def _gpus(samples: Iterable[Sample]) -> dict[str, GpuMetrics]:
    found: dict[str, dict[str, float]] = {}
    for sample in samples:
        if sample.name in _GPU and not math.isnan(sample.value):
            found.setdefault(sample.labels.get("gpu_uuid", ""), {})[_GPU[sample.name]] = float(sample.value)
    return {uuid: GpuMetrics(uuid, **figures) for uuid, figures in sorted(found.items())}
