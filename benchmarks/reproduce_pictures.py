"""Make the photographs of ``w251lab/dali/pictures`` from the packages that ``pictures.toml`` names, and compare.

``python benchmarks/reproduce_pictures.py`` has apt-get, npm and pip (run by uv) download the packages, about 170 MB;
Debian's are those of Debian 13. ``--packages`` takes them from a folder. It checks the SHA-256 of every original, and
compares what it makes with the shipped files; ``--write`` replaces them and their table in ``PROVENANCE.md``. The bytes
are the same with the version of Pillow that the table names; another may round and compress differently, so the verdict
is on the pixels, and a difference in bytes alone is only said.
"""

from __future__ import annotations

import argparse
import bz2
import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort
import PIL
from PIL import Image, ImageChops, ImageOps, ImageStat

from w251lab.errors import W251Error
from w251lab.triton.models import packaged

CATALOGUE: Final = Path(__file__).with_name("pictures.toml")
FOLDER: Final = Path(__file__).resolve().parents[1] / "w251lab" / "dali" / "pictures"
QUALITY: Final = 88
# Root mean square of the differences, in gray levels, that another version of a codec may cause.
TOLERANCE: Final = 3.0
ENDINGS: Final = {"deb": "deb", "npm": "tgz", "pip": "whl"}
LICENCES: Final = {
    "CC0-1.0": "[CC0 1.0](https://creativecommons.org/publicdomain/zero/1.0/)",
    "CC-BY-2.0": "[CC BY 2.0](https://creativecommons.org/licenses/by/2.0/)",
    "CC-BY-3.0": "[CC BY 3.0](https://creativecommons.org/licenses/by/3.0/)",
    "public domain": "public domain",
}
BEGIN: Final = "<!-- pictures: begin -->"
END: Final = "<!-- pictures: end -->"


def find(package: dict[str, str], folder: Path) -> Path | None:
    """The package's file in the folder, in the name that its own tool gives it."""
    name = package["name"]
    if package["from"] == "pip":
        name = name.replace("-", "_")
    elif package["from"] == "npm":
        name = name.removeprefix("@").replace("/", "-")
    separator = "_" if package["from"] == "deb" else "-"
    # apt-get writes the ":" and the like of a version as %3a: what it is, the pictures' own digests say.
    found = sorted(folder.glob(f"{name}{separator}[0-9]*.{ENDINGS[package['from']]}"))
    exact = [file for file in found if file.name.startswith(f"{name}{separator}{package['version']}")]
    return (exact or found or [None])[0]


def download(package: dict[str, str], folder: Path) -> Path:
    """The package's file, had from its registry.

    Raises:
        W251Error: It cannot be had.
    """
    name, version = package["name"], package["version"]
    commands = {
        "deb": ["apt-get", "download", f"{name}={version}"],
        "npm": ["npm", "pack", "--silent", f"{name}@{version}"],
        "pip": [
            *(sys.executable, "-m", "uv", "tool", "run", "pip", "download", "--quiet", "--no-deps"),
            *("--only-binary", ":all:", "--python-version", "3.11"),
            *("--platform", "manylinux_2_28_x86_64", "--platform", "manylinux_2_17_x86_64", f"{name}=={version}"),
        ],
    }
    command = commands[package["from"]]
    print(f"downloading {name} {version}", flush=True)
    said = f"there is no {command[0]} here"
    if shutil.which(command[0]):
        said = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder).stderr.strip()[-500:]
    if (file := find(package, folder)) is None:
        raise W251Error(
            f"{name} {version} could not be downloaded: {said}", "download it elsewhere and give its folder: --packages"
        )
    return file


def members(package: dict[str, str], file: Path, wanted: set[str]) -> dict[str, bytes]:
    """The contents of the wanted files of a package, by their names below its folder.

    Raises:
        W251Error: One is not in it, it is damaged, or a Debian package cannot be opened here.
    """
    try:
        found = _from_wheel(package, file, wanted) if package["from"] == "pip" else _from_tar(package, file, wanted)
    except (subprocess.CalledProcessError, tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise W251Error(f"{file.name} is damaged: {error}", f"get version {package['version']} again") from error
    if missing := sorted(wanted - found.keys()):
        raise W251Error(
            f"{file.name} does not hold {package['folder']}{missing[0]}", f"get version {package['version']}"
        )
    return found


def _from_wheel(package: dict[str, str], file: Path, wanted: set[str]) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as wheel:
        present = set(wheel.namelist())
        return {name: wheel.read(package["folder"] + name) for name in wanted if package["folder"] + name in present}


def _from_tar(package: dict[str, str], file: Path, wanted: set[str]) -> dict[str, bytes]:
    content = file.read_bytes()
    if package["from"] == "deb":
        if shutil.which("dpkg-deb") is None:
            raise W251Error("there is no dpkg-deb here, which opens Debian's packages", "run this on Debian or Ubuntu")
        content = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(file)], check=True, capture_output=True).stdout
    found = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            name = member.name.removeprefix("./").removeprefix(package["folder"])
            if name in wanted and (stream := archive.extractfile(member)) is not None:
                found[name] = stream.read()
    return found


def original(row: dict[str, Any], content: bytes) -> Image.Image:
    """The picture as its package has it.

    Raises:
        W251Error: It is not the one that was used.
    """
    if "at" in row:
        first, length = row["at"]
        content = content[first : first + length]
    digest = hashlib.sha256(content).hexdigest()
    if digest != row["sha256"]:
        raise W251Error(
            f"{row['path']} of {row['package']} has the SHA-256 {digest}, not {row['sha256']}",
            "get the versions of the packages that benchmarks/pictures.toml names",
        )
    if "raw" in row:
        return Image.frombytes("RGB", tuple(row["raw"]), bz2.decompress(content))
    return Image.open(io.BytesIO(content))


def make(row: dict[str, Any], content: bytes) -> bytes:
    """The JPEG file that is shipped: cut, scaled down, and without any metadata."""
    picture = ImageOps.exif_transpose(original(row, content))
    picture = picture if picture.mode == "L" else picture.convert("RGB")
    picture = picture.crop(row["box"]) if "box" in row else picture
    if "longest" in row:
        picture.thumbnail((row["longest"], row["longest"]), Image.Resampling.LANCZOS, reducing_gap=None)
    file = io.BytesIO()
    # A new image: what the old one carries (profile, EXIF, comment) would be saved with it.
    Image.frombytes(picture.mode, picture.size, picture.tobytes()).save(file, "JPEG", quality=QUALITY, optimize=True)
    return file.getvalue()


def difference(one: bytes, other: bytes) -> float:
    """Root mean square of the differences of two pictures' pixels; infinite for two sizes or modes."""
    first, second = Image.open(io.BytesIO(one)), Image.open(io.BytesIO(other))
    if (first.size, first.mode) != (second.size, second.mode):
        return float("inf")
    return max(ImageStat.Stat(ImageChops.difference(first, second)).rms)


def classify(contents: list[bytes]) -> list[str]:
    """What EfficientNet-Lite0 says first to each picture, with its score."""
    model = packaged("efficientnet_lite0")
    session = ort.InferenceSession(model.verify(), providers=["CPUExecutionProvider"])
    said = []
    for content in contents:
        tensor = model.preprocessing(Image.open(io.BytesIO(content)))
        (scores,) = session.run([model.output_name], {model.input_name: tensor[np.newaxis]})
        best = int(scores[0].argmax())
        said.append(f"{model.labels()[best]} {scores[0, best]:.2f}")
    return said


def table(rows: list[dict[str, Any]], packages: dict[str, dict[str, str]], made: dict[str, bytes]) -> str:
    """The rows of ``PROVENANCE.md``."""
    lines = [
        "| file | what it shows | width x height | from | author | licence | EfficientNet-Lite0 | SHA-256 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    said = classify([made[row["file"]] for row in rows])
    for row, words in zip(rows, said, strict=True):
        package, content = packages[row["package"]], made[row["file"]]
        width, height = Image.open(io.BytesIO(content)).size
        place = f"{package['name']} {package['version']}, `{row['path']}`"
        source = f"{place} ([original]({row['link']}))" if "link" in row else place
        cells = [
            *(f"`{row['file']}`", row["shows"], f"{width} x {height}", source, row.get("author", "not named")),
            *(LICENCES[row["licence"]], words, f"`{hashlib.sha256(content).hexdigest()}`"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    sources = "\n".join(
        f"- {package['name']} {package['version']} ({package['from']}): `{package['folder']}`"
        for package in packages.values()
    )
    total = sum(map(len, made.values()))
    return (
        f"{len(rows)} pictures, {total:,} bytes; made with Pillow {PIL.__version__}.\n\n"
        + "\n".join(lines)
        + f"\n\nThe packages, and the folder in each that the paths begin at:\n\n{sources}"
    )


def write(target: Path, made: dict[str, bytes], text: str) -> None:
    """Replace the shipped pictures and their table.

    Raises:
        W251Error: The page does not hold the lines between which the table stands.
    """
    page = target / "PROVENANCE.md"
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise W251Error(f"{page} does not hold the lines {BEGIN} and {END}", "git checkout -- it")
    for stale in target.glob("*/*.jpg"):
        stale.unlink()
    for name, content in made.items():
        (target / name).parent.mkdir(exist_ok=True)
        (target / name).write_bytes(content)
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="replace the shipped files")
    parser.add_argument("--packages", type=Path, help="a folder with the packages, where they are here already")
    parser.add_argument("--target", type=Path, default=FOLDER, help="the folder of the pictures")
    parser.add_argument("--only", choices=sorted(ENDINGS), help="compare the pictures of one kind of package")
    arguments = parser.parse_args()
    if arguments.write and arguments.only:
        parser.error("--write needs the packages of every kind")
    catalogue = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))
    packages = {
        key: package
        for key, package in catalogue["packages"].items()
        if arguments.only is None or package["from"] == arguments.only
    }
    rows = [row for row in catalogue["pictures"] if row["package"] in packages]
    made: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for key, package in packages.items():
            file = find(package, arguments.packages) if arguments.packages else download(package, Path(temporary))
            if file is None:
                raise W251Error(
                    f"{arguments.packages} does not hold {package['name']}", f"download version {package['version']}"
                )
            own = [row for row in rows if row["package"] == key]
            contents = members(package, file, {row["path"] for row in own})
            made |= {row["file"]: make(row, contents[row["path"]]) for row in own}
    made = {row["file"]: made[row["file"]] for row in rows}
    if arguments.write:
        write(arguments.target, made, table(rows, packages, made))
    different = 0
    for name, content in made.items():
        shipped = (arguments.target / name).read_bytes() if (arguments.target / name).is_file() else b""
        far = difference(shipped, content) if shipped else float("inf")
        same = "the same bytes" if shipped == content else "the same picture in other bytes" if far < TOLERANCE else ""
        different += not same
        print(f"{name}: {len(content):,} bytes: {same or 'DIFFERENT'}")
    print(f"{len(made)} pictures, {sum(map(len, made.values())):,} bytes")
    return 1 if different else 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except W251Error as error:
        raise SystemExit(str(error)) from None
