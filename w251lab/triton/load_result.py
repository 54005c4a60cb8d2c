"""The record of a sweep: throughput and latency for each number of requests in flight."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from w251lab.errors import W251Error

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Level:
    """What was measured with one number of requests in flight.

    Attributes:
        concurrency: Requests in flight.
        requests: Requests answered in the measurement.
        errors: Requests failed in it; they count neither as throughput nor as latency.
        seconds: Duration of the measurement.
        throughput: Inferences (rows) per second.
        p50_ms: Half of the answers took no longer, in milliseconds, seen from the client. Likewise ``p90_ms``,
            ``p95_ms``, ``p99_ms``.
        p90_ms: See ``p50_ms``.
        p95_ms: See ``p50_ms``.
        p99_ms: See ``p50_ms``.
        average_batch: Rows per execution, as the server counted; NaN where it did not say.
        queue_ms: Average time of a request in the server's queue. Likewise ``input_ms``, ``infer_ms``, ``output_ms``.
        input_ms: See ``queue_ms``.
        infer_ms: See ``queue_ms``.
        output_ms: See ``queue_ms``.
        messages: What the failed requests said, each once, at most five.
    """

    concurrency: int
    requests: int
    errors: int
    seconds: float
    throughput: float
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    average_batch: float
    queue_ms: float
    input_ms: float
    infer_ms: float
    output_ms: float
    messages: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadResult:
    """A sweep over the number of requests in flight.

    Attributes:
        model: The model's name.
        protocol: ``grpc`` or ``http``, and whether the inputs were in shared memory.
        batch_size: Rows in each request.
        tool: What sent the requests.
        device: What the model ran on, as far as the server says.
        levels: One for each number of requests in flight.
    """

    model: str
    protocol: str
    batch_size: int
    tool: str
    device: str
    levels: tuple[Level, ...]

    @property
    def best(self) -> Level:
        """The level with the highest throughput; the one with the fewest requests in flight among equals."""
        return max(self.levels, key=lambda level: (level.throughput, -level.concurrency))

    def to_frame(self) -> pd.DataFrame:
        """One row for each level, by its number of requests in flight."""
        rows = [{k: v for k, v in dataclasses.asdict(level).items() if k != "messages"} for level in self.levels]
        return pd.DataFrame(rows).set_index("concurrency")

    def to_json(self) -> str:
        """All of it as JSON, NaN as null."""
        frame = dataclasses.asdict(self)
        frame["levels"] = [{k: None if v != v else v for k, v in level.items()} for level in frame["levels"]]  # noqa: PLR0124
        return json.dumps(frame, indent=2)

    @classmethod
    def from_json(cls, text: str) -> LoadResult:
        """Read back what :meth:`to_json` wrote.

        Raises:
            W251Error: It is something else.
        """
        try:
            said = json.loads(text)
            levels: list[dict[str, Any]] = [
                {k: float("nan") if v is None else v for k, v in level.items()} for level in said["levels"]
            ]
            said["levels"] = tuple(Level(**{**level, "messages": tuple(level["messages"])}) for level in levels)
            return cls(**said)
        except (ValueError, TypeError, KeyError) as error:
            raise W251Error(
                f"This is not a record of a sweep: {error!r}.", "Give what LoadResult.to_json wrote."
            ) from error

    def plot(self) -> Figure:
        """Throughput and latency percentiles over the number of requests in flight; device and tool in the title.

        Returns:
            A figure of its own; a notebook shows it as a cell's last value.
        """
        from w251lab.triton import plots  # matplotlib takes half a second to import  # noqa: PLC0415

        return plots.load_result(self)
