"""What one model has done, as its server counted it: requests, batches, where the time went."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from collections.abc import Mapping

Per = Literal["request", "inference"]
NAN = float("nan")
# Triton's name of a metric -> our attribute.
COUNTERS = {
    "nv_inference_request_success": "request_success",
    "nv_inference_count": "inference_count",
    "nv_inference_exec_count": "exec_count",
    "nv_inference_request_duration_us": "request_us",
    "nv_inference_queue_duration_us": "queue_us",
    "nv_inference_compute_input_duration_us": "compute_input_us",
    "nv_inference_compute_infer_duration_us": "compute_infer_us",
    "nv_inference_compute_output_duration_us": "compute_output_us",
    "nv_cache_num_hits_per_model": "cache_hits",
    "nv_cache_num_misses_per_model": "cache_misses",
}


@dataclass(frozen=True)
class LatencySplit:
    """Where the time of an average answered request went, in milliseconds.

    Attributes:
        queue: Waiting for an instance, and for other requests to join the batch.
        input: Gathering the inputs.
        infer: Running the model. Each request of a batch is charged the whole batch's run.
        output: Handing out the outputs.
        total: From the request's arrival to its answer.
    """

    queue: float
    input: float
    infer: float
    output: float
    total: float

    @property
    def other(self) -> float:
        """What the four parts do not account for."""
        return self.total - self.queue - self.input - self.infer - self.output


@dataclass(frozen=True)
class ModelMetrics:
    """What one model has done, all its versions and GPUs together.

    Attributes:
        model: Its name.
        request_success: Requests answered.
        request_failure: Requests failed, by reason (``OTHER``, ``BACKEND``, ``CANCELED``, ``REJECTED``).
        inference_count: Rows computed: a request with a batch of 8 counts 8.
        exec_count: How often the model ran.
        pending: Requests that wait now.
        request_us: Microseconds from arrival to answer, summed over the answered requests.
        queue_us: Of these, in the queue. Likewise ``compute_input_us``, ``compute_infer_us``, ``compute_output_us``.
        compute_input_us: See ``queue_us``.
        compute_infer_us: See ``queue_us``.
        compute_output_us: See ``queue_us``.
        cache_hits: Answers taken from the response cache.
        cache_misses: Requests that the response cache did not know.
    """

    model: str
    request_success: int = 0
    request_failure: Mapping[str, int] = field(default_factory=dict)
    inference_count: int = 0
    exec_count: int = 0
    pending: int = 0
    request_us: float = 0.0
    queue_us: float = 0.0
    compute_input_us: float = 0.0
    compute_infer_us: float = 0.0
    compute_output_us: float = 0.0
    cache_hits: int = 0
    cache_misses: int = 0

    @property
    def failures(self) -> int:
        """Requests failed, for whatever reason."""
        return sum(self.request_failure.values())

    @property
    def average_batch(self) -> float:
        """Rows per execution; NaN before the first one."""
        return self.inference_count / self.exec_count if self.exec_count else NAN

    def latency(self, per: Per = "request") -> LatencySplit:
        """The average latency and its parts, in milliseconds; NaN before the first answer.

        Args:
            per: Divide by answered requests, or by ``inference`` (rows): the same where each request holds one row.

        Raises:
            UsageError: Another ``per``.
        """
        if per not in {"request", "inference"}:
            raise UsageError(f"Latency per {per!r} is not known.", "Use 'request' or 'inference'.")
        count = self.request_success if per == "request" else self.inference_count
        parts = (self.queue_us, self.compute_input_us, self.compute_infer_us, self.compute_output_us, self.request_us)
        return LatencySplit(*(us / 1000 / count if count else NAN for us in parts))

    def __sub__(self, earlier: ModelMetrics) -> ModelMetrics:
        """What was counted since ``earlier``; ``pending`` stays this moment's.

        Raises:
            W251Error: A counter went backwards: the server was started, or the model loaded, anew in between.
        """
        reasons = {*self.request_failure, *earlier.request_failure}
        failure = {r: self.request_failure.get(r, 0) - earlier.request_failure.get(r, 0) for r in sorted(reasons)}
        counted = {name: getattr(self, name) - getattr(earlier, name) for name in COUNTERS.values()}
        backwards = [name for name, value in {**counted, **failure}.items() if value < 0]
        if backwards:
            raise W251Error(
                f"The counter {backwards[0]} of {self.model!r} went backwards between the two moments.",
                "The server was started or the model loaded anew in between, or the two are the wrong way round: "
                "take later - earlier, from one run of the server.",
            )
        return dataclasses.replace(self, request_failure=failure, **counted)
