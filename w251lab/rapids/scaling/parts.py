"""Dask arrays whose parts lie on the workers: making them, and reaching the parts in their order."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from w251lab.errors import UsageError
from w251lab.rapids import arrays, data, memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from w251lab.accelerator import Device
    from w251lab.rapids.scaling.workers import Cluster


class Part(NamedTuple):
    """A part of an array.

    Attributes:
        future: dask's handle of it.
        worker: The address of the worker that holds it.
        start: The number of its first row in the whole array.
    """

    future: Any
    worker: str
    start: int


def blobs(cluster: Cluster, sizes: list[int], *, features: int, clusters: int, std: float, seed: int) -> data.Blobs:
    """The parts of :meth:`w251lab.rapids.scaling.Cluster.blobs`, ``sizes`` rows each."""
    # As data.blobs draws them, so that a table of one machine has the same centres.
    centres = np.random.default_rng(seed).uniform(-data.BOX, data.BOX, (clusters, features)).astype(np.float32)
    made = _everywhere(
        cluster,
        [
            (make_blobs, (size, centres, std, child, cluster.device))
            for size, child in zip(sizes, _seeds(seed, len(sizes)), strict=True)
        ],
    )
    points = assemble(cluster, made, 0, sizes, shape=(features,), dtype="float32")
    labels = assemble(cluster, made, 1, sizes, shape=(), dtype="int32")
    return data.Blobs(points, labels, arrays.to_device(centres, cluster.device))


def clicks(cluster: Cluster, sizes: list[int], *, features: int, rate: float, noise: float, seed: int) -> data.Clicks:
    """The parts of :meth:`w251lab.rapids.scaling.Cluster.clicks`, ``sizes`` rows each."""
    made = _everywhere(
        cluster,
        [
            (make_clicks, (size, features, cluster.device, child, {"rate": rate, "noise": noise}))
            for size, child in zip(sizes, _seeds(seed, len(sizes)), strict=True)
        ],
    )
    return data.Clicks(
        assemble(cluster, made, 0, sizes, shape=(features,), dtype="float32"),
        assemble(cluster, made, 1, sizes, shape=(), dtype="int32"),
        assemble(cluster, made, 2, sizes, shape=(), dtype="float32"),
    )


def spread(cluster: Cluster, array: Any, sizes: list[int]) -> Any:
    """The parts of :meth:`w251lab.rapids.scaling.Cluster.spread`."""
    host = np.asarray(arrays.to_host(array))
    if host.dtype.kind not in "biuf":
        raise UsageError(f"an array of dtype {host.dtype} cannot be spread", "give an array of numbers")
    edges = np.cumsum([0, *sizes])
    calls = []
    for number, worker in enumerate(_workers(cluster, len(sizes))):
        sent = cluster.client.scatter(host[edges[number] : edges[number + 1]], workers=[worker], hash=False)
        calls.append((place, (sent, cluster.device)))
    return assemble(cluster, _everywhere(cluster, calls), 0, sizes, shape=host.shape[1:], dtype=str(host.dtype))


def assemble(
    cluster: Cluster, made: Sequence[Part], position: int, sizes: Sequence[int], *, shape: tuple[int, ...], dtype: str
) -> Any:
    """One dask array of element ``position`` of the tuple in each part; ``shape`` and ``dtype`` of a row."""
    da: Any = import_module("dask.array")

    meta = arrays.libraries(cluster.device).xp.empty((0,) * (len(shape) + 1), dtype=dtype)
    pieces = []
    for part, size in zip(made, sizes, strict=True):
        piece = cluster.client.submit(element, part.future, position, workers=[part.worker], pure=False)
        pieces.append(da.from_delayed(piece, shape=(size, *shape), meta=meta))
    return da.concatenate(pieces)


def of(cluster: Cluster, array: Any) -> list[Part]:
    """The parts of a dask array [rows] or [rows, columns], from top to bottom, computed where they are not yet.

    Raises:
        UsageError: It is no dask array, or divided between its columns.
    """
    da: Any = import_module("dask.array")
    distributed: Any = import_module("distributed")

    if not isinstance(array, da.Array):
        raise UsageError(
            f"{type(array).__module__}.{type(array).__qualname__} is not in parts on the workers",
            "make it there (cluster.blobs, cluster.clicks) or copy it there (cluster.spread)",
        )
    if any(len(blocks) > 1 for blocks in array.chunks[1:]):
        raise UsageError(
            "the array is divided between its columns", "divide it by rows only: array.rechunk((rows, -1))"
        )
    kept = cluster.client.persist(array)
    by_key = {future.key: future for future in distributed.futures_of(kept)}
    futures = [by_key[key] for key in _flat(kept.__dask_keys__())]
    distributed.wait(futures)
    for future in futures:
        if future.status == "error":
            future.result()
    holders = cluster.client.who_has(futures)
    starts = np.cumsum([0, *array.chunks[0]])
    return [
        Part(future, holders[future.key][0], int(start)) for future, start in zip(futures, starts[:-1], strict=True)
    ]


def each(cluster: Cluster, function: Callable[..., Any], found: Sequence[Part], *shared: Any) -> list[Any]:
    """Futures of ``function(part, *shared)`` for each part, on the worker that holds it."""
    return [cluster.client.submit(function, part.future, *shared, workers=[part.worker], pure=False) for part in found]


def to_host(cluster: Cluster, array: Any) -> Any:
    """The whole of a dask array in this process; see :meth:`w251lab.rapids.scaling.Cluster.to_host`."""
    if not hasattr(array, "__dask_keys__"):
        return arrays.to_host(array)
    return np.concatenate(cluster.client.gather(each(cluster, arrays.to_host, of(cluster, array))))


def make_blobs(rows: int, centres: Any, std: float, seed: int, device: Device) -> tuple[Any, Any]:
    """On a worker: (points float32 [rows, features], labels int32 [rows]) around ``centres``."""
    xp = arrays.libraries(device).xp
    memory.require(rows * centres.shape[1] * 8, device, f"a part of {rows:,} rows and {centres.shape[1]:,} features")
    random = xp.random.default_rng(seed)
    labels = random.integers(0, len(centres), rows).astype("int32")
    points = random.standard_normal((rows, centres.shape[1]), dtype="float32")
    points *= np.float32(std)
    points += xp.asarray(centres)[labels]
    return points, labels


def make_clicks(rows: int, features: int, device: Device, seed: int, options: dict[str, float]) -> data.Clicks:
    """On a worker: its part of the table."""
    return data.clicks(rows, features, seed=seed, device=device, **options)


def place(array: Any, device: Device) -> tuple[Any]:
    """On a worker: what came from the host, on the worker's device."""
    return (arrays.to_device(array, device),)


def element(made: tuple[Any, ...], position: int) -> Any:
    """On a worker: one of the arrays that were made together."""
    return made[position]


def _everywhere(cluster: Cluster, calls: Sequence[tuple[Callable[..., Any], tuple[Any, ...]]]) -> list[Part]:
    """Run each call, as many on each worker, and wait; what fails is raised."""
    distributed: Any = import_module("distributed")

    placed = _workers(cluster, len(calls))
    futures = [
        cluster.client.submit(function, *arguments, workers=[worker], pure=False)
        for (function, arguments), worker in zip(calls, placed, strict=True)
    ]
    distributed.wait(futures)
    for future in futures:
        if future.status != "finished":
            future.result()
    return [Part(future, worker, 0) for future, worker in zip(futures, placed, strict=True)]


def _workers(cluster: Cluster, count: int) -> list[str]:
    """The worker of each of ``count`` parts: neighbouring parts on one worker, in the order of the workers' names."""
    addresses = cluster.alive()
    return [addresses[number * len(addresses) // count] for number in range(count)]


def _seeds(seed: int, count: int) -> list[int]:
    """Seeds of independent streams (:class:`numpy.random.SeedSequence`), one for each part."""
    return [int(child.generate_state(1)[0]) for child in np.random.SeedSequence(seed).spawn(count)]


def _flat(keys: Any) -> list[Any]:
    """The keys of a dask array's parts, which are lists within lists."""
    return [key for inner in keys for key in _flat(inner)] if isinstance(keys, list) else [keys]
