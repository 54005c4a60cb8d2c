"""How long GFPGAN takes for a face: its own code against the lab's path, with the same weights, noise and faces.

``make bench BENCH=benchmarks/gfpgan_speed.py ARGS="--rounds 5"``; ``--profile`` says where the time goes, ``--device
gpu`` measures on the GPU, with each precision.

In each round every contender computes the same faces, in turn; the ratio is taken within a round, and the median of
the rounds is shown: so a machine that is busy with something else slows both. Nothing is downloaded: without
``--weights`` the network and facexlib's two detectors, which GFPGANer loads whether it needs them or not, get seeded
random values. Those of the network are scaled until the result lies in the range of a picture, since clipped pixels
would make any two results alike.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from w251lab import accelerator
from w251lab.errors import W251Error
from w251lab.faces.gfpgan import compat, network, precision, restorer

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

#: What facexlib looks for in the folder that GFPGANer gives it.
DETECTORS: Final = {"detection_Resnet50_Final.pth": "retinaface", "parsing_parsenet.pth": "parsenet"}


def random_weights(folder: Path, faces: Any) -> Path:
    """A file in the published format, whose network gives pictures in range for ``faces``."""
    import torch  # noqa: PLC0415

    torch.manual_seed(0)
    made = network.build("clean", channel_multiplier=2)
    decoder = made.stylegan_decoder
    for layer in (decoder.style_conv1, *decoder.style_convs):
        layer.weight.fill_(0.1)  # the strength of the noise, which begins at 0
    with torch.inference_mode():
        result = network.stock(made, faces[:1])
    for to_rgb in (decoder.to_rgb1, *decoder.to_rgbs):
        to_rgb.modulated_conv.weight.mul_(0.35 / float(result.std()))
    decoder.to_rgbs[-1].bias.sub_((result.mean((0, 2, 3)) * 0.35 / result.std()).view(1, 3, 1, 1))
    torch.save({"params_ema": made.state_dict()}, folder / "random.pth")
    return folder / "random.pth"


def random_detectors(folder: Path) -> None:
    """What facexlib would download, with random values: faces that are aligned need no detector."""
    import torch  # noqa: PLC0415
    from facexlib.detection.retinaface import RetinaFace  # noqa: PLC0415
    from facexlib.parsing.parsenet import ParseNet  # noqa: PLC0415

    nets = RetinaFace(network_name="resnet50", device="cpu"), ParseNet(in_size=512, out_size=512, parsing_ch=19)
    for file, net in zip(DETECTORS, nets, strict=True):
        torch.save(net.state_dict(), folder / file)


def stock_gfpganer(weights: Path, device: str, folder: Path) -> Any:
    """GFPGAN's own class, as its README uses it; only its noise is held, so that results can be compared."""
    compat.prepare()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import facexlib.detection  # noqa: PLC0415
        import facexlib.parsing  # noqa: PLC0415
        import torch  # noqa: PLC0415
        from gfpgan import GFPGANer  # noqa: PLC0415

        random_detectors(folder)

        def local(url: str, **_: object) -> str:
            return str(folder / url.rpartition("/")[2])

        facexlib.detection.load_file_from_url = facexlib.parsing.load_file_from_url = local
        made = GFPGANer(str(weights), upscale=1, arch="clean", channel_multiplier=2, device=torch.device(device))
    network.fix_noise(made.gfpgan, 0)
    forward = made.gfpgan.forward
    made.gfpgan.forward = lambda x, **options: forward(x, **(options | {"randomize_noise": False}))
    return made


def by_gfpganer(made: Any, faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One face after another, as GFPGANer does it. It takes and gives BGR."""
    restored = [made.enhance(face[:, :, ::-1].copy(), has_aligned=True, paste_back=False)[1][0] for face in faces]
    return np.stack(restored)[..., ::-1].copy()


def some_faces(count: int) -> NDArray[np.uint8]:
    """Portraits of 512 x 512: the bundled one, mirrored, darker, and so on."""
    from PIL import Image  # noqa: PLC0415

    from w251lab.faces.pictures import portrait  # noqa: PLC0415

    one = np.asarray(Image.fromarray(portrait()).resize((512, 512), Image.Resampling.LANCZOS))
    return np.stack([np.roll(one[:, :: (-1) ** n] // (1 + n // 2), 16 * n, 0) for n in range(count)])


def timed(work: Callable[[], Any], device: str) -> tuple[float, Any]:
    """Seconds of one call, to the end of what it started on a GPU."""
    import torch  # noqa: PLC0415

    if device == "cuda":
        torch.cuda.synchronize()
    begin = time.perf_counter()
    result = work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begin, result


def contenders(
    options: argparse.Namespace, weights: Path, folder: Path
) -> dict[str, Callable[[NDArray[np.uint8]], Any]]:
    """What is compared, the stock first."""
    target = "cuda" if options.device == "gpu" else "cpu"
    made = stock_gfpganer(weights, target, folder)
    found: dict[str, Callable[[NDArray[np.uint8]], Any]] = {"GFPGANer": lambda faces: by_gfpganer(made, faces)}
    for numbers in (*precision.PRECISIONS, "auto") if options.device == "gpu" else ("float32",):
        one = restorer.GfpganRestorer(device=options.device, weights_file=weights, numbers=numbers)
        found[f"w251lab {numbers}"] = one.restore_faces
    return found


def decibels(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """PSNR of two 8-bit pictures."""
    error = float(np.mean((a.astype(float) - b) ** 2))
    return 10 * np.log10(255**2 / error) if error else float("inf")


def measure(options: argparse.Namespace, entries: dict[str, Callable[..., Any]], faces: NDArray[np.uint8]) -> None:
    """Warm up, time the rounds, print the table."""
    target = "cuda" if options.device == "gpu" else "cpu"
    results = {name: work(faces) for name, work in entries.items()}  # the first call prepares
    for work in entries.values():
        work(faces)
    seconds: dict[str, list[float]] = {name: [] for name in entries}
    for number in range(options.rounds):
        order = list(entries) if number % 2 == 0 else list(entries)[::-1]
        for name in order:
            seconds[name].append(timed(lambda work=entries[name]: work(faces), target)[0])
    stock, *_ = entries
    print(f"{'':22}{'s a face':>10}{'of stock':>10}{'(least to most)':>18}{'PSNR dB':>10}")
    for name, times in seconds.items():
        ratios = [a / b for a, b in zip(seconds[stock], times, strict=True)]
        near = decibels(results[name], results[stock])
        row = f"{name:22}{statistics.median(times) / len(faces):10.3f}{statistics.median(ratios):9.2f}x"
        row += f"{f'{min(ratios):.2f} to {max(ratios):.2f}':>18}{near:10.1f}"
        print(row if near >= precision.LEAST_PSNR else f"{row}  below {precision.LEAST_PSNR:g}: another picture")
    clipped = np.isin(results[stock], (0, 255)).mean()
    levels = f"mean {results[stock].mean():.0f}, deviation {results[stock].std():.0f}, {clipped:.1%} clipped"
    print(f"the stock result: {levels}")


def profile(entries: dict[str, Callable[..., Any]], faces: NDArray[np.uint8]) -> None:
    """Where the time goes, by PyTorch's own profiler."""
    from torch import profiler  # noqa: PLC0415

    for name, work in entries.items():
        with profiler.profile() as seen:
            work(faces[:1])
        print(f"\n{name}, one face:")
        print(seen.key_averages().table(sort_by="self_cpu_time_total", row_limit=10, max_name_column_width=40))


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="GFPGAN's own code against the lab's path.")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--weights", type=Path, help="GFPGANv1.3.pth or v1.4; random ones without it")
    parser.add_argument("--faces", type=int, default=1, help="how many at once")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="of PyTorch, on a CPU")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    try:
        options.device = accelerator.resolve_device(options.device)
        compat.prepare()
        import torch  # noqa: PLC0415

        if options.threads:
            torch.set_num_threads(options.threads)
        faces = some_faces(options.faces)
        with tempfile.TemporaryDirectory() as scratch:
            weights = options.weights or random_weights(Path(scratch), restorer.to_tensor(faces))
            entries = contenders(options, weights, Path(scratch))
            kind = "given weights" if options.weights else "random weights"
            threads = torch.get_num_threads()
            print(f"{accelerator.label(options.device)}; PyTorch {torch.__version__}, {threads} threads; {kind};")
            print(f"{len(faces)} face(s) of 512 x 512, {options.rounds} rounds, medians")
            measure(options, entries, faces)
            if options.profile:
                profile(entries, faces)
    except W251Error as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
