"""The verbs that start a server and speak to one. What they stand on (NumPy, gRPC) is imported when one runs."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypedDict

import typer
from rich.console import Console
from rich.table import Table

from w251lab.errors import UsageError

if TYPE_CHECKING:
    from w251lab.triton.client import TritonClient
    from w251lab.triton.repository import OnnxModel
    from w251lab.triton.server import EmbeddedServer

DEFAULT_PORTS = {"http": 8000, "grpc": 8001}

_NAMES = {"write_repository": "repository"}

Chosen = Annotated[list[str] | None, typer.Option("-m", "--model", help="Only this model; may be repeated.")]
Batching = Annotated[bool, typer.Option("--dynamic-batching", help="Let them join waiting requests into one batch.")]
Url = Annotated[
    str, typer.Option("-u", "--url", metavar="HOST:PORT", help="127.0.0.1:8000 by default; 8001 with -i grpc.")
]
Protocol = Annotated[str, typer.Option("-i", "--protocol", help="http or grpc.")]


class _Ports(TypedDict):
    http_port: int
    grpc_port: int
    metrics_port: int


def register(app: typer.Typer) -> None:
    """Add the server's verbs to ``app``."""
    for verb in (setup, serve, write_repository, models, classify):
        app.command(_NAMES.get(verb.__name__))(verb)


def setup(
    device: Annotated[str, typer.Option(help="cpu, or gpu for an onnxruntime that computes with CUDA.")] = "cpu",
    python: Annotated[str | None, typer.Option(help="The Python to build on: a path, or a name on PATH.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Make it again even if it is there.")] = False,
) -> None:
    """Make the Triton server's own environment, unless it is there and current."""
    from w251lab.triton import environment  # noqa: PLC0415

    root = environment.default_root()
    if not force and environment.is_current(root, device, python):
        made = environment.load(root)
        word = "is there"
    else:
        size = "about 350 MB" if device == "cpu" else "more than 1 GB, most of it CUDA"
        sys.stderr.write(
            f"setting up the Triton server's environment in {root} ({size} to fetch, less what the labs' has fetched)\n"
        )
        sys.stderr.flush()
        made = environment.install(device, root, python, force=force)
        word = "was made"
    _say(f"The Triton server's environment ({device}, Python {made.interpreter.version}) {word}: {made.root}")


def serve(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[REPOSITORY]", help="A model repository; else the shipped classifiers.")
    ] = None,
    *,
    model: Chosen = None,
    http_port: Annotated[int, typer.Option(help="0 takes a free one; so with the others.")] = 8000,
    grpc_port: Annotated[int, typer.Option()] = 8001,
    metrics_port: Annotated[int, typer.Option()] = 8002,
    device: Annotated[str | None, typer.Option(help="cpu or gpu, for the shipped classifiers.")] = None,
    dynamic_batching: Batching = False,
    instances: Annotated[int | None, typer.Option(help="Copies of each of them that run side by side.")] = None,
) -> None:
    """Run the embedded Triton server in this terminal until Ctrl-C."""
    from w251lab.triton import server  # noqa: PLC0415
    from w251lab.triton.errors import ServerFailedError  # noqa: PLC0415
    from w251lab.triton.server_log import complaints  # noqa: PLC0415

    signal.signal(signal.SIGTERM, _interrupt)  # a `kill` stops it as cleanly as Ctrl-C
    ports = _Ports(http_port=http_port, grpc_port=grpc_port, metrics_port=metrics_port)
    if folder is None:
        described = _describe(model, device or "cpu", 1 if instances is None else instances, batching=dynamic_batching)
        running = _serve(described, ports)
    elif device or instances is not None or dynamic_batching:
        raise UsageError(
            "--device, --instances and --dynamic-batching are for the shipped classifiers.",
            f"The models in {folder} say these in their config.pbtxt.",
        )
    else:
        running = server.start(folder, load=model, **ports)
    with running:
        _say_where(running)
        try:
            for text in running.follow_log():
                sys.stderr.write(text)
        except KeyboardInterrupt:
            _say("stopping")
            return
    raise ServerFailedError(f"The server ended by itself; it said:\n{complaints(running.log)}", "Start it again.")


def write_repository(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write; models of other names there stay.")],
    *,
    model: Chosen = None,
    flavour: Annotated[str, typer.Option(help="embedded, or ngc for Triton's container image.")] = "embedded",
    device: Annotated[str, typer.Option(help="Where the models are to run: cpu or gpu.")] = "cpu",
    dynamic_batching: Batching = False,
    instances: Annotated[int, typer.Option(help="Copies of each of them that run side by side.")] = 1,
) -> None:
    """Write the shipped classifiers into a model repository, for a server elsewhere."""
    from w251lab.triton import repository  # noqa: PLC0415

    if flavour not in repository.FLAVOURS:
        raise UsageError(f"Unknown flavour {flavour!r}.", f"Use one of: {', '.join(repository.FLAVOURS)}.")
    described = _describe(model, device, instances, batching=dynamic_batching)
    repository.write(folder, described, "ngc" if flavour == "ngc" else "embedded")
    _say(f"Wrote {', '.join(one.name for one in described)} ({flavour}, {device}) into {folder}")


def models(url: Url = "", protocol: Protocol = "http") -> None:
    """List the models in a server's repository, and whether they are loaded."""
    with _client(url, protocol) as client:
        table = Table("model", "version", "state", "reason")
        for status in client.models():
            table.add_row(status.name, status.version, status.state or "not loaded", status.reason)
    Console().print(table)


def classify(
    pictures: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Picture files, or folders of them.")],
    *,
    model: Annotated[str, typer.Option("-m", "--model-name", help="The model to ask.")],
    version: Annotated[str, typer.Option("-x", "--model-version", help="The newest by default.")] = "",
    classes: Annotated[int, typer.Option("-c", "--classes", help="How many classes to show for each picture.")] = 1,
    batch_size: Annotated[int, typer.Option("-b", "--batch-size", help="Pictures in one request.")] = 1,
    scaling: Annotated[
        str | None,
        typer.Option("-s", "--scaling", help="NONE, INCEPTION or VGG, in place of what the model says of itself."),
    ] = None,
    url: Url = "",
    protocol: Protocol = "http",
    in_parallel: Annotated[
        bool, typer.Option("-a", "--async", help="Send all requests before the first answer.")
    ] = False,
    streaming: Annotated[bool, typer.Option("--streaming", help="Send them over one stream (grpc only).")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Say what is asked of whom.")] = False,
) -> None:
    """Ask a server for the classes of pictures, as NVIDIA's image_client does."""
    from w251lab.triton import classifiers  # noqa: PLC0415

    if in_parallel and streaming:
        raise UsageError("--async and --streaming are two ways to send requests.", "Choose one.")
    files = _picture_files(pictures)
    with _client(url, protocol) as client:
        if streaming and client.protocol != "grpc":
            raise UsageError("HTTP has no streams.", "Add -i grpc.")
        if verbose:
            _explain(client, model, version, scaling)
        found = classifiers.classify(
            client,
            files,
            model,
            top_k=classes,
            batch_size=batch_size,
            scaling=scaling,
            version=version,
            mode="stream" if streaming else "async" if in_parallel else "wait",
        )
    for file, best in zip(files, found, strict=True):
        _say(f"Image '{file}':")
        for one in best:
            _say(f"    {one}")


def _describe(chosen: list[str] | None, device: str, instances: int, *, batching: bool) -> list[OnnxModel]:
    """The shipped classifiers, or those chosen of them."""
    from w251lab.triton import classifiers, repository  # noqa: PLC0415
    from w251lab.triton.models import names as shipped  # noqa: PLC0415

    if device not in {"cpu", "gpu"}:
        raise UsageError(f"Unknown device {device!r}.", "Use cpu or gpu.")
    return [
        classifiers.describe(
            name,
            instances=instances,
            device="gpu" if device == "gpu" else "cpu",
            dynamic_batching=repository.DynamicBatching() if batching else None,
        )
        for name in dict.fromkeys(chosen or shipped())
    ]


def _serve(described: list[OnnxModel], ports: _Ports) -> EmbeddedServer:
    """Start a server on these models, from a repository that ends with it."""
    from w251lab.triton import repository, server  # noqa: PLC0415

    temporary = Path(tempfile.mkdtemp(prefix="w251lab-models-"))
    try:
        repository.write(temporary, described)
        return server.start(temporary, remove_repository=True, **ports)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _say_where(running: EmbeddedServer) -> None:
    """The addresses, and the command to try next."""
    with running.client() as client:
        ready = [status.name for status in client.models() if status.state == "READY"]
    _say(f"Triton serves {', '.join(ready) or 'no model yet'}; Ctrl-C stops it.")
    _say(f"  HTTP     {running.http}\n  gRPC     {running.grpc}\n  metrics  http://{running.metrics}/metrics")
    if ready:
        _say(f"Try, in another terminal:\n  w251lab classify IMAGE -m {ready[0]} -c 3 -u {running.http}")


def _picture_files(given: list[Path]) -> list[Path]:
    """The files that were named, and those in the folders that were named which have a picture's suffix."""
    from PIL import Image  # noqa: PLC0415

    suffixes = set(Image.registered_extensions())
    files: list[Path] = []
    for path in given:
        if not path.is_dir():
            files.append(path)
            continue
        inside = sorted(file for file in path.iterdir() if file.suffix.lower() in suffixes and file.is_file())
        if not inside:
            raise UsageError(f"There is no picture in the folder {path}.", "Name picture files, or another folder.")
        files += inside
    return files


def _client(url: str, protocol: str) -> TritonClient:
    """A client for what ``-u`` and ``-i`` say."""
    from w251lab.triton import server  # noqa: PLC0415
    from w251lab.triton.client import TritonClient  # noqa: PLC0415

    chosen = protocol.lower()
    if chosen not in DEFAULT_PORTS:
        raise UsageError(f"Unknown protocol {protocol!r}.", "Use -i http or -i grpc.")
    return TritonClient(url or f"{server.HOST}:{DEFAULT_PORTS[chosen]}", "http" if chosen == "http" else "grpc")


def _explain(client: TritonClient, model: str, version: str, scaling: str | None) -> None:
    """What is asked of whom, on the error stream, so that the answers stay alone on the output."""
    from w251lab.triton.classifiers import preprocessing_of  # noqa: PLC0415

    about = client.server_metadata()
    config = client.config(model, version)
    rows = {
        "server": f"{about['name']} {about['version']} at {client.url} ({client.protocol})",
        "model": f"{model}, versions {', '.join(client.metadata(model, version)['versions'])}",
        "largest batch": config.max_batch_size or "no batch axis",
        "preprocessing": preprocessing_of(config, scaling),
    }
    for name, value in rows.items():
        sys.stderr.write(f"{name}: {value}\n")


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
