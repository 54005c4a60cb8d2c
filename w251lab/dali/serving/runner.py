"""The ``model.py`` of the preprocessing in the embedded server: runs the ``dali.py`` beside it in the python backend.

It is copied into the model repository and runs in the server's own environment, not in the lab's, and needs nothing
but DALI, its codec library nvImageCodec, and NumPy.

``execute`` gets every request of a batch at once, each with one picture or several padded with zeros to one length, and
gives DALI all of their pictures in one batch. DALI ends a pipeline at the first picture that it cannot decode. So the
headers are looked at first, and if a batch still fails, its pictures are decoded one by one by nvImageCodec, which
DALI's decoder is made of and which survives a damaged one; the rest goes through a new pipeline.
"""

from __future__ import annotations

import json
import os
import runpy
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]

#: Begins the message of a request that fails because of its picture.
REFUSED: Final = "picture refused: "
_FORMATS: Final = "JPEG, PNG, WebP, BMP, TIFF, JPEG 2000 and PNM"
_DAMAGED: Final = "damaged or cut short"
#: What DALI could read if it were whole, by how it begins.
_PICTURES: Final = (
    (b"\xff\xd8", "a JPEG file"),
    (b"\x89PNG", "a PNG file"),
    (b"BM", "a BMP file"),
    (b"II*\0", "a TIFF file"),
    (b"MM\0*", "a TIFF file"),
)
#: What it cannot.
_OTHERS: Final = (
    (b"GIF8", "a GIF file"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"<", "HTML or XML"),
)
#: Formats that have an end of their own: zeros after it are the client's padding. A file that was cut short has to lose
#: them, or DALI takes them for the rest of the picture.
_ENDED: Final = (b"\xff\xd8", b"\x89PNG")
# Decoded with the pipeline's first run: the codecs' libraries are loaded before the first request.
_WARM_UP: Final = b"P6\n8 8\n255\n" + bytes(8 * 8 * 3)


class TritonPythonModel:
    """What Triton's python backend asks of a model (Triton's "Python Backend" guide): initialize, execute, finalize."""

    def initialize(self, args: dict[str, str]) -> None:
        """Build the pipeline on this instance's device.

        Args:
            args: Triton's description: the configuration as JSON, the folder, the version, the kind and number of
                device.
        """
        config = json.loads(args["model_config"])
        parameters = {key: value["string_value"] for key, value in config["parameters"].items()}
        instances = sum(int(group["count"]) for group in config["instance_group"])
        threads = int(parameters.get("threads", 0)) or max(1, len(os.sched_getaffinity(0)) // instances)
        self.input = config["input"][0]["name"]
        self.outputs = [tensor["name"] for tensor in config["output"]]
        self.preparer = Preparer(
            Path(args["model_repository"]) / args["model_version"] / "dali.py",
            batch_size=max(int(config["max_batch_size"]), 1),
            threads=threads,
            gpu=int(args["model_instance_device_id"]) if args["model_instance_kind"] == "GPU" else None,
            dims=tuple(map(int, config["output"][0]["dims"])),
            limits=Limits(int(parameters["max_pixels"]), int(parameters["resize"])),
        )

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answer ``requests``, with all their pictures in one batch of DALI.

        A request of one picture that cannot be used fails with its reason. In a request of several such a picture has
        NaN for pixels and its reason in the second output; the others are answered.
        """
        import triton_python_backend_utils as pb  # exists only inside the server  # noqa: PLC0415

        columns = [pb.get_input_tensor_by_name(request, self.input).as_numpy() for request in requests]
        ends = np.cumsum([len(column) for column in columns])
        pixels, reasons = self.preparer([row for column in columns for row in column])
        answers = []
        for request, end, column in zip(requests, ends, columns, strict=True):
            mine = slice(end - len(column), end)
            if len(column) == 1 and reasons[mine.start]:
                error = pb.TritonError(REFUSED + reasons[mine.start], pb.TritonError.INVALID_ARG)
                answers.append(pb.InferenceResponse(output_tensors=[], error=error))
                continue
            texts = np.array([[reason.encode()] for reason in reasons[mine]], dtype=np.object_)
            wanted = request.requested_output_names()
            tensors = [
                pb.Tensor(name, values)
                for name, values in zip(self.outputs, (pixels[mine], texts), strict=True)
                if name in wanted
            ]
            answers.append(pb.InferenceResponse(output_tensors=tensors))
        return answers


class Limits(NamedTuple):
    """How much a picture may unfold to.

    Attributes:
        pixels: Of a decoded picture, of all decoded pictures of a batch together, and of a resized picture.
        resize: To what the shorter side is resized: a long thin picture becomes huge by it.
    """

    pixels: int
    resize: int


class Preparer:
    """A DALI pipeline that survives pictures which DALI cannot decode.

    Args:
        file: The ``dali.py``.
        batch_size: Pictures in a batch of DALI at most.
        threads: Threads of the CPU.
        gpu: Number of the GPU; None for the CPU.
        dims: Shape of one result.
        limits: What is refused by its header.

    Attributes:
        rebuilt: How often a new pipeline was needed.
    """

    def __init__(
        self, file: Path, *, batch_size: int, threads: int, gpu: int | None, dims: tuple[int, ...], limits: Limits
    ) -> None:
        names = runpy.run_path(str(file))
        (self._define,) = {
            id(value): value for value in names.values() if getattr(value, "_is_autoserialize", False)
        }.values()
        self._settings = {"batch_size": batch_size, "num_threads": threads, "device_id": gpu}
        self._batch_size = batch_size
        self._dims = dims
        self._limits = limits
        codec: Any = import_module("nvidia.nvimgcodec")
        self._codec = codec
        # Alive as long as this: with its libraries loaded, a new pipeline takes 10 ms, and 150 ms without.
        self._decoder = codec.Decoder(device_id=-99999, max_num_cpu_threads=threads, backends=[_cpu_only(codec)])
        self._pipeline: Any = None
        self.rebuilt = -1
        self._run([np.frombuffer(_WARM_UP, np.uint8)])

    def __call__(self, contents: Sequence[npt.NDArray[np.uint8]]) -> tuple[npt.NDArray[np.float32], list[str]]:
        """Prepare pictures.

        Args:
            contents: For each the bytes of its file, uint8 [bytes]; zeros may follow.

        Returns:
            float32 [pictures, *dims], NaN for a picture that cannot be used; and for each ``""`` or why not.

        Raises:
            RuntimeError: DALI cannot even build a new pipeline.
        """
        pixels = np.full((len(contents), *self._dims), np.nan, np.float32)
        contents = [unpadded(content) for content in contents]
        looked_at = [self._look_at(content) for content in contents]
        reasons = [reason for reason, _ in looked_at]
        for places in self._batches([size for _, size in looked_at], reasons):
            result = self._run([contents[place] for place in places])
            if result is None:
                for place in places:
                    reasons[place] = self._undecodable(contents[place])
                left = [place for place in places if not reasons[place]]
                self._after_failure(contents, left, pixels, reasons)
            else:
                pixels[places] = result
        return pixels, reasons

    def _after_failure(self, contents: Sequence[Array], places: list[int], pixels: Array, reasons: list[str]) -> None:
        """The pictures of a failed batch that can be decoded: together again, and alone if that fails too."""
        if len(places) > 1 and (result := self._run([contents[place] for place in places])) is not None:
            pixels[places] = result
            return
        for place in places:
            result = self._run([contents[place]])
            if result is None:
                reasons[place] = f"DALI cannot prepare it: {self._said}"
            else:
                pixels[place] = result[0]

    def _run(self, contents: list[Array]) -> Array | None:
        """One batch through the pipeline; None if it fails, which also ends the pipeline."""
        if self._pipeline is None:
            built = self._define(**self._settings)
            built.build()
            self._pipeline = built
            self.rebuilt += 1
        try:
            (result,) = self._pipeline.run(DALI_INPUT=contents)
            return np.array(result.as_cpu().as_array())
        except RuntimeError as error:  # DALI says everything in this way
            words = [line.strip() for line in str(error).splitlines() if line.strip()]
            at = words.index("encountered:") + 1 if "encountered:" in words else 0
            self._said = words[min(at, len(words) - 1)] if words else type(error).__name__
            self._pipeline = None
            return None

    def _batches(self, sizes: Sequence[int], reasons: Sequence[str]) -> Iterator[list[int]]:
        """Places of the pictures without a reason, in batches of which none unfolds to more than the limit."""
        batch: list[int] = []
        total = 0
        for place, size in enumerate(sizes):
            if reasons[place]:
                continue
            if batch and (len(batch) == self._batch_size or total + size > self._limits.pixels):
                yield batch
                batch, total = [], 0
            batch.append(place)
            total += size
        if batch:
            yield batch

    def _look_at(self, content: Array) -> tuple[str, int]:
        """Why the header says that a picture cannot be used, or ``""``; and its pixels."""
        if not content.any():
            return "it has 0 bytes", 0
        try:
            found = self._codec.CodeStream(content)
            width, height = int(found.width), int(found.height)
        except RuntimeError:
            return what_is(bytes(content[:64])), 0
        pixels = width * height
        if pixels < 1:
            return f"it has {width} x {height} pixels", 0
        if pixels > self._limits.pixels:
            return f"it has {width} x {height} pixels, more than the {self._limits.pixels} that are decoded", 0
        resized = self._limits.resize**2 * max(width, height) // min(width, height)
        if resized > self._limits.pixels:
            return f"it has {width} x {height} pixels, too long and thin to be resized", 0
        return "", pixels

    def _undecodable(self, content: Array) -> str:
        """Why the pixels cannot be decoded, or ``""``."""
        decoded = self._decoder.decode(self._codec.CodeStream(content))
        return f"it is {_DAMAGED}" if decoded is None else ""


def _cpu_only(codec: Any) -> Any:
    return codec.Backend(codec.BackendKind.CPU_ONLY)


def unpadded(content: Array) -> Array:
    """The bytes of a file without the zeros after it, where its format has an end mark (JPEG and PNG).

    Of a BMP, PNM, TIFF or WebP that was cut short and padded nobody can say that its zeros are not the picture's.
    """
    if not len(content) or content[-1] or not bytes(content[:4]).startswith(_ENDED):
        return content
    return content[: len(content.tobytes().rstrip(b"\0"))]


def what_is(head: bytes) -> str:
    """Why bytes that begin with ``head`` cannot be read as a picture."""
    for begins, name in _PICTURES:
        if head.startswith(begins):
            return f"it is {name} that is {_DAMAGED}"
    text = head.rstrip(b"\0")
    kind = "text" if text.isascii() and text.decode("ascii").isprintable() else "binary data"
    kind = next((name for begins, name in _OTHERS if head.startswith(begins)), kind)
    return f"it is {kind}, and no picture that DALI can read ({_FORMATS})"
