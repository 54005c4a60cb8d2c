"""A model's counts and times as the server's statistics extension reports them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ModelStatistics:
    """What a model has done since it was loaded, all its versions together.

    Attributes:
        model: Its name.
        inferences: Rows that were computed: a request with a batch of 8 counts 8.
        executions: How often the model ran: fewer than ``inferences`` where it ran on batches.
        successes: Requests answered.
        failures: Requests refused or failed.
        queue_ns: Nanoseconds that answered requests waited, together. Likewise ``input_ns``, ``infer_ns`` and
            ``output_ns`` for preparing inputs, running the model and handing out outputs.
        input_ns: See ``queue_ns``.
        infer_ns: See ``queue_ns``.
        output_ns: See ``queue_ns``.
        batches: For each batch size how often the model ran with it.
    """

    model: str
    inferences: int
    executions: int
    successes: int
    failures: int
    queue_ns: int
    input_ns: int
    infer_ns: int
    output_ns: int
    batches: Mapping[int, int] = field(default_factory=dict)

    @property
    def average_batch(self) -> float:
        """Rows per execution; NaN before the first one."""
        return self.inferences / self.executions if self.executions else float("nan")


class Answers:
    """How many answers a client has had from each model since it last read that model's counters.

    Triton counts a request after it has sent the answer: counters that are read right then lack it.
    """

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._since: Counter[str] = Counter()

    def add(self, model: str) -> None:
        """Note an answer."""
        self._since[model] += 1

    def expected(self, model: str) -> int:
        """How many successes the counters show at least, once they are up to date."""
        return self._seen[model] + self._since[model]

    def seen(self, model: str, successes: int) -> None:
        """Note what the counters showed; 0 when they begin anew."""
        self._seen[model] = successes
        self._since[model] = 0


def from_json(answer: Mapping[str, Any], model: str) -> ModelStatistics:
    """Read the JSON form of the statistics extension; numbers may be text, as in JSON made from protobuf.

    Args:
        answer: The extension's answer.
        model: The model asked for.
    """
    versions = answer.get("model_stats", [])
    kinds = {
        kind: [v.get("inference_stats", {}).get(kind, {}) for v in versions]
        for kind in ("success", "fail", "queue", "compute_input", "compute_infer", "compute_output")
    }

    def total(kind: str, what: str) -> int:
        return sum(int(entry.get(what, 0)) for entry in kinds[kind])

    batches: dict[int, int] = {}
    for batch in (batch for version in versions for batch in version.get("batch_stats", [])):
        size = int(batch["batch_size"])
        batches[size] = batches.get(size, 0) + int(batch.get("compute_infer", {}).get("count", 0))
    return ModelStatistics(
        model,
        inferences=sum(int(version.get("inference_count", 0)) for version in versions),
        executions=sum(int(version.get("execution_count", 0)) for version in versions),
        successes=total("success", "count"),
        failures=total("fail", "count"),
        queue_ns=total("queue", "ns"),
        input_ns=total("compute_input", "ns"),
        infer_ns=total("compute_infer", "ns"),
        output_ns=total("compute_output", "ns"),
        batches=dict(sorted(batches.items())),
    )
