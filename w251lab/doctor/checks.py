"""The registry of checks: each does the real thing once, and says what it saw or what to do.

To add a check: write a function that takes the device and returns one line (or raises `W251Error`), and enter it in
`CHECKS` under the word that labs write in their ``needs``.
"""
# Each check runs in a process of its own, which is not to pay for what the others import.
# ruff: noqa: PLC0415

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from w251lab import accelerator
from w251lab.doctor.dali_check import dali
from w251lab.doctor.faces_check import faces
from w251lab.doctor.rapids_check import rapids
from w251lab.errors import W251Error

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt
    from PIL import Image

    from w251lab.accelerator import Device

_REPAIR = "make the environment again; in a checkout: make clean && make env"
_MODEL = "efficientnet_lite0"
# What the shipped classifier says of the picture below, and how far another processor may be from it.
_EXPECTED = (906, "Windsor tie", 0.387)
_TOLERANCE = 0.05


@dataclass(frozen=True)
class Check:
    """One thing that a lab may need.

    Attributes:
        run: Does it on a device and says in one line what it saw. Raises `W251Error` with the remedy.
        proves: What is known when it passes.
        role: ``basic`` for what every lab needs, ``need`` for what is looked at when a lab names it, ``optional`` for
            what is looked at always and missed only by a lab that names it.
        devices: Where it makes a difference to do it.
        seconds: How long it may take.
        repair: What to do when it crashes or does not end.
    """

    run: Callable[[Device], str]
    proves: str
    role: Literal["basic", "need", "optional"] = "need"
    devices: tuple[Device, ...] = ("cpu",)
    seconds: float = 60.0
    repair: str = _REPAIR


def notebook_kernel(_device: Device) -> str:
    """Start the kernel that JupyterLab would start, and have it compute."""
    from jupyter_client.kernelspec import NoSuchKernel
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name="python3")
    with tempfile.TemporaryFile("w+") as log, tempfile.TemporaryDirectory() as folder:
        try:
            manager.start_kernel(cwd=folder, stdout=log, stderr=log)
            client = manager.blocking_client()
            client.start_channels()
            client.wait_for_ready(timeout=50)
            asked = {
                "sum": "1 + 1",
                "python": "__import__('sys').executable",
                "lab": "__import__('w251lab').__version__",
            }
            reply = client.execute("", user_expressions=asked, reply=True, timeout=50)
            client.stop_channels()
        except (NoSuchKernel, RuntimeError, OSError) as error:
            log.seek(0)
            said = ([line for line in log.read().splitlines() if line.strip()] or [str(error)])[-1]
            raise W251Error(f"The notebook kernel does not start: {said}", _REPAIR) from error
        finally:
            if manager.has_kernel:
                manager.shutdown_kernel(now=True)
    answers = reply["content"].get("user_expressions", {})
    values = {name: answers.get(name, {}).get("data", {}).get("text/plain", "") for name in asked}
    if values["sum"] != "2":
        raise W251Error(f"The notebook kernel answers {reply['content']!r} to 1 + 1.", _REPAIR)
    if not values["lab"]:
        raise W251Error(
            f"Notebooks run on {values['python']}, which does not have w251lab.",
            "another environment's kernel hides this one's; see jupyter kernelspec list, then: "
            "jupyter kernelspec remove python3",
        )
    return f"1 + 1 = {values['sum']} in a fresh ipykernel {metadata.version('ipykernel')}"


def plots(_device: Device) -> str:
    """Draw a red line with matplotlib, and find it in the picture."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=(2, 1), dpi=100)
    FigureCanvasAgg(figure)
    figure.subplots().plot([0, 1], [0, 1], color="red", linewidth=8)
    drawn = BytesIO()
    figure.savefig(drawn, format="png")
    pixels = np.asarray(Image.open(drawn).convert("RGB"))
    red = int((pixels == (255, 0, 0)).all(axis=2).sum())
    if pixels.shape != (100, 200, 3) or red < 200:
        raise W251Error(f"matplotlib drew {pixels.shape} with {red} red pixels in place of a red line.", _REPAIR)
    return f"matplotlib {metadata.version('matplotlib')} drew a line"


def triton_server(device: Device) -> str:
    """Start the embedded server on the shipped classifier, classify a picture over HTTP and gRPC, and stop it."""
    from w251lab.triton import classifiers, environment, server
    from w251lab.triton.errors import ServerFailedError
    from w251lab.triton.repository import write

    made = environment.load()
    folder = Path(tempfile.mkdtemp(prefix="models-"))
    described = classifiers.describe(_MODEL, max_batch_size=1, device=device)
    write(folder, [described])
    try:
        running = server.start(folder, timeout=90, environment=made, remove_repository=True)
    except ServerFailedError as error:
        if device == "gpu":
            raise W251Error(error.what, "w251lab setup --device gpu --force") from error
        raise
    picture = _picture()
    with running, running.client("http") as http, running.client("grpc") as grpc:
        request = {described.inputs[0].name: classifiers.prepare(http.config(_MODEL), [picture])}
        scores = http.infer(_MODEL, request)[described.outputs[0].name]
        best = classifiers.classify(grpc, [picture], _MODEL)[0][0]
        _judge(scores, best.label, "The Triton server")
        about = http.server_metadata()
    return (
        f"Triton {about['version']} (Python {made.interpreter.version}) on the {device.upper()}: "
        f"{best.label} {best.score:.3f} over HTTP and gRPC"
    )


def onnx_runtime(device: Device) -> str:
    """Run the shipped classifier with onnxruntime in this process."""
    try:
        import onnxruntime
    except ImportError as error:
        raise W251Error(
            f"onnxruntime cannot be imported beside the labs: {error}.",
            f"in a checkout: make env DEVICE={device}; elsewhere: pip install 'w251lab[{device}]'",
        ) from error
    from w251lab.triton.models import packaged
    from w251lab.triton.onnx_runner import load_session

    model = packaged(_MODEL)
    try:
        session = load_session(model.verify(), 1, 0 if device == "gpu" else None)
    except RuntimeError as error:
        raise W251Error(
            f"onnxruntime {onnxruntime.__version__} cannot compute on the GPU here; it offers "
            f"{', '.join(onnxruntime.get_available_providers())}.",
            "in a checkout: make env DEVICE=gpu; elsewhere: pip install 'w251lab[gpu]'",
        ) from error
    scores = session.run([model.output_name], {model.input_name: model.preprocessing(_picture())[None]})[0]
    label = model.labels()[int(scores.argmax())]
    _judge(scores, label, "onnxruntime")
    return f"onnxruntime {onnxruntime.__version__} on the {device.upper()}: {label} {scores.max():.3f}"


def gpu(_device: Device) -> str:
    """Find a GPU that a process started here can use."""
    machine = accelerator.describe()
    if not machine.gpus:
        raise W251Error(f"There is no usable GPU: {machine.why_no_gpu}.", machine.gpu_remedy)
    return ", ".join(f"{each.name} (driver {each.driver})" for each in machine.gpus)


def docker(_device: Device) -> str:
    """Ask the Docker engine, not its command line, for its version; and whether it has Compose."""
    install = "only for the container route; see https://docs.docker.com/engine/install/"
    if shutil.which("docker") is None:
        raise W251Error("Docker is not installed.", install)
    engine = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, text=True, check=False
    )
    if engine.returncode:
        raise W251Error(
            f"The Docker engine does not answer: {_last_line(engine.stderr)}",
            "only for the container route; start it: sudo systemctl start docker",
        )
    compose = subprocess.run(["docker", "compose", "version", "--short"], capture_output=True, text=True, check=False)
    if compose.returncode:
        raise W251Error(f"Docker {engine.stdout.strip()} has no Compose.", install)
    return f"Docker engine {engine.stdout.strip()}, Compose {compose.stdout.strip()}"


def bubblewrap(_device: Device) -> str:
    """Run a program in a sandbox without network, files to write, or other processes in sight."""
    if shutil.which("bwrap") is None:
        raise W251Error(
            "bubblewrap, a sandbox for notebooks of others, is not installed.", "sudo apt-get install bubblewrap"
        )
    sandbox = ["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    done = subprocess.run([*sandbox, "true"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise W251Error(
            f"bubblewrap cannot make a sandbox: {_last_line(done.stderr)}",
            "allow unprivileged user namespaces; on Ubuntu: "
            "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        )
    version = subprocess.run(["bwrap", "--version"], capture_output=True, text=True, check=False)
    return f"{version.stdout.strip()} ran a program in a sandbox"


CHECKS: dict[str, Check] = {
    "notebook-kernel": Check(notebook_kernel, "a notebook's cells run", "basic"),
    "plots": Check(plots, "a notebook's figures are drawn", "basic"),
    "triton-server": Check(
        triton_server,
        "the embedded server answers",
        devices=("cpu", "gpu"),
        seconds=120,
        repair="w251lab setup --force",
    ),
    "onnxruntime": Check(onnx_runtime, "the shipped model runs beside the labs", "optional", devices=("cpu", "gpu")),
    "rapids": Check(
        rapids, "data frames, K-means and XGBoost compute", devices=("cpu", "gpu"), seconds=60, repair=_REPAIR
    ),
    "dali": Check(
        dali, "pictures are decoded and made ready for a model", devices=("cpu", "gpu"), seconds=60, repair=_REPAIR
    ),
    "faces": Check(faces, "faces are found, restored and compared", repair=_REPAIR),
    "gpu": Check(gpu, "a GPU can be used", "optional", repair="see what nvidia-smi says"),
    "docker": Check(docker, "the container route", "optional", seconds=15, repair="sudo systemctl restart docker"),
    "bubblewrap": Check(bubblewrap, "notebooks of others can be contained", "optional", seconds=15),
}


def explain_unknown(need: str) -> tuple[str, str]:
    """What to say of a need that no check knows: what happened, and the remedy."""
    from w251lab.course.catalog import nearest_hint

    return (
        f"No check is known for the need {need!r}.",
        f"{nearest_hint(need, CHECKS)} Correct it in course.toml, or enter a check for it in {Path(__file__).name}.",
    )


def _picture() -> Image.Image:
    """A photograph that comes with matplotlib, Grace Hopper, from the chin down: it has one clear class."""
    from matplotlib.cbook import get_sample_data
    from PIL import Image

    with Image.open(str(get_sample_data("grace_hopper.jpg", asfileobj=False))) as whole:
        return whole.convert("RGB").crop((0, 300, 512, 600))


def _judge(scores: npt.NDArray[np.float32] | Any, label: str, who: str) -> None:
    """Hold what was computed against what the classifier is known to say.

    Args:
        scores: What the model gave for one picture: shape [1, 1000], probabilities.
        label: The name that came with the highest of them.
        who: Who computed them, for the message.

    Raises:
        W251Error: The shape, the sum, the class, its score or its name is another.
    """
    index, name, score = _EXPECTED
    right = (
        scores.shape == (1, 1000)
        and abs(float(scores.sum()) - 1) < 1e-3
        and int(scores.argmax()) == index
        and abs(float(scores.max()) - score) < _TOLERANCE
        and label == name
    )
    if not right:
        raise W251Error(
            f"{who} computes wrong scores: shape {scores.shape}, sum {float(scores.sum()):.4f}, best class "
            f"{int(scores.argmax())} ({label}) with {float(scores.max()):.3f}; expected {index} ({name}) with {score}.",
            _REPAIR,
        )


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]


def python() -> list[str]:
    """The command line that runs a check in a process of its own; the working directory is not searched for modules."""
    return [sys.executable, "-P", "-m", "w251lab.doctor"]
