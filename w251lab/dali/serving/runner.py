"""The ``model.py`` of the preprocessing in the embedded server: runs the ``dali.py`` beside it in the python backend.

It is copied into the model repository and runs in the server's own environment, not in the lab's, and needs nothing
but DALI, its codec library nvImageCodec, and NumPy.

``execute`` gets every request of a batch at once, each with one picture or several padded with zeros to one length, and
gives DALI all of their pictures in one batch. DALI ends a pipeline at the first picture that it cannot decode. So the
headers are looked at first, and the end of a JPEG, half of which a GPU decodes without a word. If a batch still fails,
its pictures are decoded one by one by nvImageCodec, which DALI's decoder is made of and which survives a damaged one;
the rest goes through a new pipeline.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import struct
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
#: How the pixels of a JPEG 2000 file begin, wherever they are in it, and how the file does.
_CODE_STREAM: Final = b"\xff\x4f\xff\x51"
_JPEG_2000: Final = (b"\0\0\0\x0cjP  ", _CODE_STREAM)
#: What DALI could read if it were whole, by how it begins.
_PICTURES: Final = (
    (b"\xff\xd8", "a JPEG file"),
    (b"\x89PNG", "a PNG file"),
    (b"BM", "a BMP file"),
    (b"II*\0", "a TIFF file"),
    (b"MM\0*", "a TIFF file"),
    *((begins, "a JPEG 2000 file") for begins in _JPEG_2000),
)
#: The same, where the beginning alone does not tell.
_PICTURES_LIKE: Final = (
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "a WebP file"),
    (re.compile(rb"P[1-6]\s"), "a PNM file"),
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
#: A marker of a JPEG file and its code: in coded pixels FF is followed by 0, or by D0..D7, which cut them into parts.
_MARKER: Final = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
_END_OF_JPEG: Final = b"\xd9"
_TEXT: Final = frozenset(b"\t\n\r\f") | frozenset(range(0x20, 0x7F))
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
        pixels: Of a picture, decoded or resized, whichever is more; also of all pictures of a batch together.
        resize: To what the shorter side is resized: a long thin picture becomes huge by it.
    """

    pixels: int
    resize: int

    def unfolded(self, width: int, height: int) -> int:
        """Pixels that a picture takes, decoded or resized, whichever is more."""
        return max(width * height, self.resize**2 * max(width, height) // min(width, height))

    def too_large(self, width: int, height: int) -> str:
        """Why a picture of ``width`` x ``height`` pixels, 1 or more each, is refused, or ``""``."""
        if width * height > self.pixels:
            return f"it has {width} x {height} pixels, more than the {self.pixels} that are decoded"
        if self.unfolded(width, height) > self.pixels:
            return f"it has {width} x {height} pixels, too long and thin to be resized"
        return ""


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
        """Why a picture cannot be used, as far as can be told without its pixels, or ``""``; and what it unfolds to."""
        if not content.any():
            return "it has 0 bytes", 0
        size = None if cut_short(content) or deadly(content) else self._size(content)
        if size is None:
            return what_is(bytes(content[:64])), 0
        width, height = size
        if min(width, height) < 1:
            return f"it has {width} x {height} pixels", 0
        if reason := self._limits.too_large(width, height):
            return reason, 0
        return "", self._limits.unfolded(width, height)

    def _size(self, content: Array) -> tuple[int, int] | None:
        """Width and height, as the header says; None where there is none."""
        try:
            found = self._codec.CodeStream(content)
            return int(found.width), int(found.height)
        except RuntimeError:
            return None

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


def deadly(content: Array) -> bool:
    """Whether it is a JPEG 2000 file whose header ends the process that reads it.

    nvImageCodec (0.9) divides by the size of a tile and by the number of components, also where they are 0.
    """
    data = content.tobytes()
    if not data.startswith(_JPEG_2000):
        return False
    for found in re.finditer(re.escape(_CODE_STREAM), data):
        fields = data[found.start() + 24 : found.start() + 42]  # width and height of a tile, its place; components
        if len(fields) < 18 or 0 in struct.unpack(">II8xH", fields):
            return True
    return False


def cut_short(content: Array) -> bool:
    """Whether it is a JPEG file without its end mark, FF D9.

    Decoders differ there: a CPU's refuses half a picture, a GPU's fills up the rest. So it is asked of the file. Its
    segments are walked from the first on, since the same bytes also end a thumbnail in one of them, and may stand in
    whatever follows the picture (a film, for instance).
    """
    data = content.tobytes()
    if not data.startswith(b"\xff\xd8"):
        return False
    at = 2
    while found := _MARKER.search(data, at):
        if found[1] == _END_OF_JPEG:
            return False
        # A segment begins with its length, which counts itself. What follows a start of scan needs no special care: the
        # search passes over coded pixels.
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return True


def what_is(head: bytes) -> str:
    """Why bytes that begin with ``head`` cannot be read as a picture."""
    names = [name for begins, name in _PICTURES if head.startswith(begins)]
    names += [name for pattern, name in _PICTURES_LIKE if pattern.match(head)]
    if names:
        return f"it is {names[0]} that is {_DAMAGED}"
    text = head.removeprefix(b"\xef\xbb\xbf").rstrip(b"\0").lstrip()
    kind = "text" if _TEXT.issuperset(text) else "binary data"
    kind = next((name for begins, name in _OTHERS if text.startswith(begins)), kind)
    return f"it is {kind}, and no picture that DALI can read ({_FORMATS})"
